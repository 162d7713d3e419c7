//! Files that tools look for by name, and which tools read them.

use crate::names::{BUN_LOCK, MANIFEST, YARN_LOCK};

/// Files that tools look for in a workspace and then in each folder above, by the start of their names.
pub(super) const SOUGHT_UPWARDS: [&[&str]; 2] = [&["postcss.config.", ".postcssrc"], &[".browserslistrc"]];

/// Settings of `ESLint`, which are looked for upwards too.
pub(super) const OF_ESLINT: [&str; 2] = [".eslintrc", "eslint.config."];

/// Packages that lint during a build.
pub(super) const LINTING: [&str; 6] = [
    "next",
    "react-scripts",
    "vite-plugin-eslint",
    "vite-plugin-checker",
    "eslint-webpack-plugin",
    "@nabla/vite-plugin-eslint",
];

/// Settings of tools that no build runs, by the start of their names.
pub(super) const NOT_FOR_BUILDS: [&str; 15] = [
    ".commitlintrc",
    ".lintstagedrc",
    ".oxlintrc",
    ".prettierrc",
    ".stylelintrc",
    "biome.",
    "commitlint.",
    "cypress.",
    "jest.",
    "knip.",
    "lint-staged.",
    "oxlint.",
    "playwright.",
    "prettier.",
    "vitest.",
];

/// Root files that task runners count as inputs, but that no build reads or that every build has anyway.
pub(super) const NO_INPUTS: [&str; 11] = [
    MANIFEST,
    BUN_LOCK,
    YARN_LOCK,
    "turbo.json",
    "nx.json",
    ".nvmrc",
    ".node-version",
    ".editorconfig",
    ".gitignore",
    ".prettierrc",
    ".prettierignore",
];

/// Settings that checks look for in the workspace and above, by the word that runs their tool.
pub(super) const OF_CHECKS: [(&str, &[&str]); 9] = [
    ("eslint", &OF_ESLINT),
    ("eslint", &[".eslintignore"]),
    ("biome", &["biome.json"]),
    ("oxlint", &[".oxlintrc"]),
    ("prettier", &[".prettierrc", "prettier.config."]),
    ("prettier", &[".prettierignore"]),
    ("vitest", &["vitest.config.", "vitest.workspace.", "vite.config."]),
    ("jest", &["jest.config."]),
    ("mocha", &[".mocharc"]),
];

/// Settings that tools read in the folder that they run in, by the start of their names, beside those that have the tool's name.
pub(super) const OF_TOOLS: [(&[&str], &[&str]); 4] = [
    (
        &["tsc", "vue-tsc", "tsgo", "tsx", "ts-node", "bun", "vite", "esbuild", "tsup", "preconstruct"],
        &["tsconfig.json"],
    ),
    (&["babel", "preconstruct"], &["babel.config.", ".babelrc"]),
    (&["vitest"], &["vite.config."]),
    (&["graphql-codegen"], &["codegen.", ".graphqlrc"]),
];

/// Settings of linters and formatters in a workspace's folder, which are no sources unless a build runs the tool, by the word that
/// runs it. The same names are in `source-filter.json`.
pub(super) const SETTINGS: [(&str, &[&str]); 6] = [
    ("eslint", &[".eslintrc", "eslint.config.", ".eslintignore"]),
    ("biome", &["biome.json"]),
    ("oxlint", &[".oxlintrc", "oxlint.config."]),
    ("prettier", &[".prettierrc", "prettier.config.", ".prettierignore"]),
    ("stylelint", &[".stylelintrc", "stylelint.config.", ".stylelintignore"]),
    ("lint-staged", &[".lintstagedrc", "lint-staged.config."]),
];

/// Folders that builds write by custom.
pub(super) const OUTPUTS: [&str; 6] = ["build", "dist", "lib", "out", "public", "storybook-static"];
