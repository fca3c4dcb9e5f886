//! What others may set on a service that runs commands of ours, and what they may not.

use super::effective::found;
use crate::check::units::foreign::{ROWS, VARIABLES};

const GATE: (&str, &str) = ("our", "ExecStartPre=/gate");
const KUBELET: &str = "package|Environment=A=1\nExecStart=/k $ARGS";

/// What a file in front of the gate and one behind it set, which is the same.
#[track_caller]
fn beside(text: &str) -> Vec<String> {
    let early = found(KUBELET, &[("x", text), GATE]);
    assert_eq!(early, found(KUBELET, &[GATE, ("x", text)]));
    early
}

#[test]
fn every_key_of_the_table() {
    for row in &ROWS {
        let set = format!("{}=/x", row.key);
        let expected = [format!("{}: added by x:2", row.key)];
        assert_eq!(beside(&set), expected);
        assert_eq!(found("our|ExecReload=/a", &[("x", &set)]), expected);
        // of a package, of ours, of another section, taken back, or where nothing of ours runs
        assert_eq!(found(KUBELET, &[("package2", &set), GATE]), [""; 0]);
        assert_eq!(found(KUBELET, &[("our2", &set), GATE]), [""; 0]);
        assert_eq!(beside(&format!("[Unit]\n{set}")), [""; 0]);
        let back = format!("{}=", row.key);
        assert_eq!(found("package|Type=simple", &[("x", &set), GATE, ("our3", &back)]), [""; 0], "{set}");
        assert_eq!(found(KUBELET, &[("x", &set), ("our", "LimitNOFILE=9")]), [""; 0]);
        // a package's, behind
        let last =
            found("package|Type=simple", &[("x", &set), ("package2", &format!("{}=/y", row.key)), GATE]);
        assert_eq!(last, if row.adds { expected.as_slice() } else { &[] });
    }
    let mut names: Vec<_> = ROWS.iter().map(|row| row.key).collect();
    names.dedup();
    assert_eq!(names.len(), ROWS.len());
}

#[test]
fn what_changes_nothing() {
    for text in [
        "[Unit]\nAfter=a.service\nWants=a.service\nOnFailure=b.service\nConditionHost=c",
        "MemoryHigh=1G\nCPUWeight=9\nLimitNOFILE=9\nSlice=a.slice\nOOMScoreAdjust=-9\nTasksMax=9",
        "ExecStartPre=/more\nExecStartPost=/more\nExecStopPost=/more\nExecCondition=/more",
        "Environment=HTTP_PROXY=a NO_PROXY=b \"GODEBUG=c\" OLD_A=d PATH=/e KUBE=f",
        "PassEnvironment=HTTP_PROXY\nUnsetEnvironment=HTTP_PROXY",
        "Restart=always\nRestartSec=1\nTimeoutStartSec=9\nType=notify\nRemainAfterExit=yes",
        "ProtectSystem=full\nProtectHome=yes\nPrivateTmp=yes\nNoNewPrivileges=yes\nReadWritePaths=/a",
        "StandardOutput=journal\nSyslogIdentifier=a\nWorkingDirectory=/\nDelegate=yes\nCPUAccounting=true",
        "User=root\nDynamicUser=no\nRootDirectory=/\nSuccessExitStatus=0\nBindPaths=\nEnvironmentFile=",
        "User=a\nUser=",
        "EnvironmentFile=-/etc/our.env",
        "EnvironmentFile=-/e/x",
    ] {
        assert_eq!(beside(text), [""; 0], "{text}");
    }
}

#[test]
fn variables() {
    for (start, _) in VARIABLES {
        assert_eq!(
            beside(&format!("Environment=B=1 {start}X=2")),
            [format!("Environment={start}X: added by x:2")]
        );
        assert_eq!(
            beside(&format!("PassEnvironment={start}X")),
            [format!("PassEnvironment={start}X: added by x:2")]
        );
    }
    assert_eq!(beside("Environment=ARGS=1"), ["Environment=ARGS: added by x:2"]);
    assert_eq!(beside("Environment=%i=1"), ["Environment: added by x:2"]);
    assert_eq!(beside("UnsetEnvironment=ARGS=2 B"), ["UnsetEnvironment=ARGS: added by x:2"]);
    assert_eq!(found(KUBELET, &[("package2", "Environment=LD_X=1"), GATE]), [""; 0]);
    // once, as what it does to ours
    let ours = "ExecStart=/k $FROM_FILE";
    assert_eq!(
        found(ours, &[("x", "EnvironmentFile=/e/x")]),
        ["Environment=FROM_FILE: set by x:2 through /e/x"]
    );
    assert_eq!(found(ours, &[("x", "Environment=FROM_FILE=1")]), ["Environment=FROM_FILE: set by x:2"]);
}

#[test]
fn what_a_package_sets_and_others_take_back() {
    for key in
        ["ExecStart", "ExecStartPre", "ExecStartPost", "ExecCondition", "Environment", "EnvironmentFile"]
    {
        let package = format!("package|{key}=/a");
        let expected = [format!("{key}: emptied by x:2")];
        let emptied = format!("{key}=");
        assert_eq!(found(&package, &[("x", &emptied), GATE]), expected);
        assert_eq!(found(&package, &[("x", &format!("{emptied}\n{key}=/b")), GATE]), expected);
        assert_eq!(
            found(&package, &[("x", &emptied), ("package2", &format!("{emptied}\n{key}=/b")), GATE]),
            [""; 0]
        );
        assert_eq!(found(&package, &[("our2", &emptied), GATE]), [""; 0]);
        assert_eq!(found(&package, &[("x", &emptied), ("our", "LimitNOFILE=9")]), [""; 0]);
    }
    assert_eq!(
        found("package|ExecStop=/a\nExecReload=/a", &[("x", "ExecStop=\nExecReload="), GATE]),
        [""; 0]
    );
}
