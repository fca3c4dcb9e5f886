{
  description = "sealift: one YAML spec of a highly available Kubernetes or etcd cluster becomes signed, sealed, reproducible bundles, one per host";

  inputs.nixpkgs.url = "github:NixOS/nixpkgs/nixos-unstable";

  outputs = { self, nixpkgs }:
    let
      systems = [ "x86_64-linux" "aarch64-linux" ];
      forEach = f: nixpkgs.lib.genAttrs systems (system: f nixpkgs.legacyPackages.${system});
      cargo = builtins.fromTOML (builtins.readFile ./Cargo.toml);

      package = pkgs: pkgs.rustPlatform.buildRustPackage {
        pname = cargo.package.name;
        inherit (cargo.package) version;
        src = self;
        cargoLock.lockFile = ./Cargo.lock;
        # The rest of the tests wants real etcd, systemd and openssl: ./tests/run.
        cargoTestFlags = [ "--lib" ];
        meta = {
          inherit (cargo.package) description;
          license = [ pkgs.lib.licenses.mit pkgs.lib.licenses.asl20 ];
          mainProgram = "sealift";
          platforms = systems;
        };
      };
    in
    {
      packages = forEach (pkgs: rec {
        sealift = package pkgs;
        default = sealift;
      });

      apps = forEach (pkgs: rec {
        sealift = {
          type = "app";
          program = "${self.packages.${pkgs.system}.default}/bin/sealift";
        };
        default = sealift;
      });

      checks = forEach (pkgs: {
        inherit (self.packages.${pkgs.system}) sealift;
      });

      devShells = forEach (pkgs: {
        default = pkgs.mkShell {
          inputsFrom = [ self.packages.${pkgs.system}.default ];
          # What ./tests/run takes from Debian, from nixpkgs.
          packages = with pkgs; [ age cargo-deny clippy etcd libfaketime openssh openssl rustfmt strace ];
        };
      });
    };
}
