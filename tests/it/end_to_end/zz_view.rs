use super::verify::splitter;
use crate::support::{BUN_VERSIONS, NixMonorepo, succeed};
#[test]
fn e2e_zz_view() {
    let Some(nix) = NixMonorepo::with_bun(BUN_VERSIONS[2]) else { return };
    let context = nix.context();
    context.write("splitter.json", r#"{"workspaces": {"apps/web": {"build": "for i in 1 2 3 4; do echo line $i of a log that is rather long and goes on; sleep 1; done; mkdir -p dist; touch dist/a"}}}"#);
    succeed(&mut context.splitter(&["update-hash"]));
    context.commit_all("x");
    let command = splitter(&nix, &["build"]);
    let args: Vec<String> = command.get_args().map(|a| format!("'{}'", a.to_string_lossy())).collect();
    let env: Vec<String> = command
        .get_envs()
        .filter_map(|(k, v)| Some(format!("{}='{}'", k.to_string_lossy(), v?.to_string_lossy())))
        .collect();
    let script = format!(
        "cd {} && env -i {} TERM=xterm {} {}",
        context.repo(),
        env.join(" "),
        command.get_program().to_string_lossy(),
        args.join(" ")
    );
    std::fs::write("/tmp/e-view/cmd.sh", &script).unwrap();
    for (name, columns, more) in [("wide", 100, ""), ("narrow", 40, ""), ("plain", 100, "export NO_COLOR=1;")] {
        context.write("apps/web/src/index.ts", format!("// {name}"));
        let line = format!("stty cols {columns} rows 30; {more} sh /tmp/e-view/cmd.sh");
        let script = if more.is_empty() { line } else { line.replace("cmd.sh", "cmd2.sh") };
        std::fs::write(
            "/tmp/e-view/cmd2.sh",
            std::fs::read_to_string("/tmp/e-view/cmd.sh").unwrap().replace("TERM=xterm", "TERM=xterm NO_COLOR=1"),
        )
        .unwrap();
        std::process::Command::new("script")
            .args(["-qec", &script, &format!("/tmp/e-view/{name}.txt")])
            .output()
            .unwrap();
    }
}
