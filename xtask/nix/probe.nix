# A build that needs nothing but a shell: can this machine build at all, and in a sandbox?
derivation {
  name = "probe";
  system = builtins.currentSystem;
  builder = "/bin/sh";
  args = [
    "-c"
    "echo fine > $out"
  ];
}
