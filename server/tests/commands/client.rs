//! `kangmai client` from the outside.
#![expect(clippy::expect_used, reason = "a test")]

use std::path::PathBuf;
use std::process::{Command, Output};

const HOSPITAL: &str = "机构编码,机构名称,所在地区划代码,机构层级,医院等级,机构类别,服务能力\n\
    H41172200901,上蔡县示例人民医院,411722000000,县级,二级,综合医院,住院\n";

struct Desk(PathBuf);

impl Desk {
    fn new() -> Desk {
        let directory = std::env::temp_dir().join(format!("kangmai-test-client-{}", std::process::id()));
        std::fs::create_dir_all(&directory).expect("a directory");
        let desk = Desk(directory);
        let file = desk.0.join("institutions.csv");
        std::fs::write(&file, HOSPITAL).expect("a file");
        said(&desk.kangmai(&["import", "institutions", file.to_str().expect("a path")]));
        desk
    }

    fn kangmai(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_kangmai"));
        command.env("KANGMAI_MASTER_KEY", "5e".repeat(32));
        command.env("RUST_BACKTRACE", "0").arg("--database").arg(self.0.join("kangmai.db")).args(arguments);
        command.output().expect("the command runs")
    }
}

impl Drop for Desk {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn said(output: &Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

fn refused(output: &Output) -> String {
    assert!(!output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn clients_are_made_changed_and_revoked_at_the_console() {
    let desk = Desk::new();
    let add = |name: &str, more: &[&str]| {
        let mut arguments = vec!["client", "add", name];
        arguments.extend(more);
        desk.kangmai(&arguments)
    };
    let first = said(&add("HIS", &["--institution", "H41172200901"]));
    assert!(first.starts_with("kmk_") && first.len() == 68, "{first}");
    let listed = said(&desk.kangmai(&["client", "list"]));
    for part in ["HIS", "上蔡县示例人民医院", "411722000000", "open", "never"] {
        assert!(listed.contains(part), "{part}: {listed}");
    }
    let second = said(&desk.kangmai(&["client", "rotate", "HIS"]));
    assert!(second.starts_with("kmk_") && second != first);
    // By its identifier too, once two have the same name.
    said(&add("HIS", &["--institution", "H41172200901", "--place", "4117"]));
    assert!(refused(&desk.kangmai(&["client", "revoke", "HIS"])).contains("several clients"));
    let id = listed.split('\t').next().expect("an identifier");
    said(&desk.kangmai(&["client", "revoke", id]));
    assert!(said(&desk.kangmai(&["client", "list"])).contains("revoked"));
    assert!(refused(&desk.kangmai(&["client", "rotate", id])).contains("no such interface client"));

    assert!(refused(&desk.kangmai(&["client", "rotate", "nobody"])).contains("there is no client"));
    assert!(refused(&add("HIS", &["--institution", "H0"])).contains("no institution with the code"));
    let nowhere = add("HIS", &["--institution", "H41172200901", "--place", "419999"]);
    assert!(refused(&nowhere).contains("no division"));
    assert!(refused(&add(" ", &["--institution", "H41172200901"])).contains("Give the client a name"));
}
