//! Files that tools look for by name, and which tools read them.

use crate::names::{BUN_LOCK, MANIFEST, YARN_LOCK};

/// Files that tools look for in a workspace and then in each folder above, by the start of their names.
pub(super) const SOUGHT_UPWARDS: [&[&str]; 2] = [&["postcss.config.", ".postcssrc"], &[".browserslistrc"]];

/// Settings of `ESLint`, which are looked for upwards too.
pub(super) const OF_ESLINT: [&str; 2] = [".eslintrc", "eslint.config."];

/// The first version of Next.js whose build does not lint.
pub(super) const NEXT_WITHOUT_LINT: u64 = 16;

/// Packages that lint during a build. `next` does so in some versions.
pub(super) const LINTING: [&str; 5] = [
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

/// Settings of linters and formatters in a workspace's folder, which are no sources unless a build runs the tool or a program reads
/// them, by the word that runs the tool. The same names are in `source-filter.json`.
pub(super) const SETTINGS: [(&str, &[&str]); 24] = [
    ("eslint", &[".eslintrc", "eslint.config.", ".eslintignore"]),
    ("biome", &["biome.json", ".biome.json", ".editorconfig"]),
    ("rome", &["rome.json"]),
    ("oxlint", &[".oxlintrc", "oxlint.config."]),
    ("oxfmt", &[".oxfmtrc", ".editorconfig"]),
    ("prettier", &[".prettierrc", "prettier.config.", ".prettierignore", ".editorconfig"]),
    ("dprint", &["dprint.json", ".dprint.json"]),
    ("editorconfig", &[".editorconfig"]),
    ("stylelint", &[".stylelintrc", "stylelint.config.", ".stylelintignore"]),
    ("tslint", &["tslint.json"]),
    ("jshint", &[".jshintrc"]),
    ("xo", &["xo.config.", ".xo-config"]),
    ("markdownlint", &[".markdownlint"]),
    ("textlint", &[".textlintrc"]),
    ("htmlhint", &[".htmlhintrc"]),
    ("secretlint", &[".secretlintrc"]),
    ("ls-lint", &[".ls-lint.yml"]),
    ("npmPkgJsonLint", &[".npmpackagejsonlintrc"]),
    ("syncpack", &[".syncpackrc"]),
    ("depcheck", &[".depcheckrc"]),
    ("cspell", &["cspell.", ".cspell."]),
    ("knip", &["knip."]),
    ("commitlint", &[".commitlintrc", "commitlint.config."]),
    ("lint-staged", &[".lintstagedrc", "lint-staged.config."]),
];

/// Folders that builds write by custom.
pub(super) const OUTPUTS: [&str; 6] = ["build", "dist", "lib", "out", "public", "storybook-static"];
