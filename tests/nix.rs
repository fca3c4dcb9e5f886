//! flake.nix is sound: it parses, and its outputs evaluate against a nixpkgs that is a stub.
//!
//! No network: the stub has the few names that the flake uses, and gives back what it was given.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
#![allow(clippy::disallowed_methods, reason = "tests run programs")]

mod support;

use serde_json::{Value, json};
use std::path::PathBuf;
use std::process::Command;
use support::{Ran, need, repository, run, temporary};

/// The flake's outputs as JSON, with what cannot be JSON reduced to what matters.
const EXPRESSION: &str = r#"
let
  flake = import ROOT/flake.nix;
  pkgsFor = system: {
    inherit system;
    lib.licenses = { mit = "MIT"; asl20 = "Apache-2.0"; };
    rustPlatform.buildRustPackage = given: given // { outPath = "/nix/store/stub-${given.pname}-${given.version}"; };
    mkShell = given: { shell = map (package: "${package}") (given.inputsFrom ++ given.packages); };
  } // builtins.listToAttrs (map (name: { inherit name; value = name; })
    [ "age" "cargo-deny" "clippy" "etcd" "libfaketime" "openssh" "openssl" "rustfmt" "strace" ]);
  systems = [ "x86_64-linux" "aarch64-linux" ];
  nixpkgs = {
    lib.genAttrs = names: f: builtins.listToAttrs (map (name: { inherit name; value = f name; }) names);
    legacyPackages = builtins.listToAttrs (map (name: { inherit name; value = pkgsFor name; }) systems);
  };
  self = flake.outputs { inherit self nixpkgs; } // { outPath = "/source"; };
  each = f: builtins.mapAttrs (system: f) ;
in {
  packages = each (builtins.mapAttrs (name: package: {
    inherit (package) pname version meta;
    lock = builtins.pathExists package.cargoLock.lockFile;
  })) self.packages;
  apps = self.apps;
  checks = each builtins.attrNames self.checks;
  shells = each (shells: builtins.length shells.default.shell) self.devShells;
}
"#;

/// Nix with every state directory in a place of its own.
fn nix(program: &PathBuf, arguments: &[&str]) -> Ran {
    let state = temporary();
    let mut command = Command::new(program);
    for (name, below) in [
        ("HOME", "home"),
        ("NIX_STORE_DIR", "store"),
        ("NIX_STATE_DIR", "state"),
        ("NIX_LOG_DIR", "log"),
        ("NIX_CONF_DIR", "conf"),
        ("NIX_LOCALSTATE_DIR", "var"),
    ] {
        command.env(name, state.path().join(below));
    }
    run(command.args(arguments)).expect_code(0)
}

#[test]
fn flake_parses() {
    let Some(program) = need("nix-instantiate") else { return };
    let flake = repository("flake.nix");
    let parsed = nix(&program, &["--parse", flake.to_str().unwrap()]);
    assert!(parsed.stdout.contains("buildRustPackage"), "{parsed:?}");
    assert_eq!(parsed.stderr, "");
}

#[test]
fn flake_evaluates() {
    let Some(program) = need("nix-instantiate") else { return };
    let expression = EXPRESSION.replace("ROOT", repository("").to_str().unwrap().trim_end_matches('/'));
    let evaluated = nix(&program, &["--eval", "--strict", "--json", "--expr", &expression]);
    let outputs: Value = serde_json::from_str(&evaluated.stdout).unwrap();
    let version = env!("CARGO_PKG_VERSION");
    let package = json!({
        "pname": "sealift",
        "version": version,
        "lock": true,
        "meta": {
            "description": env!("CARGO_PKG_DESCRIPTION"),
            "license": ["MIT", "Apache-2.0"],
            "mainProgram": "sealift",
            "platforms": ["x86_64-linux", "aarch64-linux"],
        },
    });
    let packages = json!({ "default": package, "sealift": package });
    let app = json!({ "type": "app", "program": format!("/nix/store/stub-sealift-{version}/bin/sealift") });
    let apps = json!({ "default": app, "sealift": app });
    let both = |value: Value| json!({ "x86_64-linux": value, "aarch64-linux": value });
    assert_eq!(
        outputs,
        json!({
            "packages": both(packages),
            "apps": both(apps),
            "checks": both(json!(["sealift"])),
            "shells": both(json!(10)),
        })
    );
}
