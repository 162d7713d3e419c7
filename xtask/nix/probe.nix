# A build that needs only a shell. It shows whether this machine can build at all, and in a sandbox.
derivation {
  name = "probe";
  system = builtins.currentSystem;
  builder = "/bin/sh";
  args = [
    "-c"
    "echo fine > $out"
  ];
}
