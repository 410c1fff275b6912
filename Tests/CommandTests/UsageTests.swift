import Testing

/// Wrong command lines: status 2, one line, a way out.
@Suite struct UsageTests {
  @Test(arguments: [
    (["--halp"], "unknown option '--halp'", "did you mean '--help'?"),
    (["pach"], "unknown command 'pach'", "did you mean 'patch'?"),
    ([], "missing command", "icl-probe --help"),
    (["--seed", "1", "patch"], "before the command", "icl-probe patch --seed"),
    (["patch", "--episode", "2"], "unknown option '--episode'", "did you mean '--episodes'?"),
    (["patch", "--episodes", "two"], "'--episodes' must be a whole number", "not 'two'"),
    (["patch", "--episodes"], "'--episodes' needs a value", ""),
    (["patch", "surplus"], "unexpected argument 'surplus'", "icl-probe patch --help"),
    (["run"], "there is nothing to run", "--prompt TEXT or --tokens IDS"),
    (["run", "-p", "a", "--tokens", "1"], "both given", "leave out one"),
    (["run", "--tokens", "1,,2"], "empty item", "single commas"),
    (["run", "--tokens", "-1"], "at least 0", "not '-1'"),
    (["run", "--tokens", "1", "--escapes"], "--escapes does nothing", "--prompt"),
    (["run", "-p", "a", "--positions", "1"], "--positions does nothing", "--hook"),
    (["run", "-p", "\\q", "--escapes"], "unknown escape '\\q'", "\\n, \\t"),
    (["run", "-p", "", "--top", "1"], "no tokens", "at least one"),
    (["run", "-p", "a", "--top", "0"], "'--top' must be", "at least 1"),
    (["run", "-p", "a", "--hook", "blocks.0.hook_z"], "unknown hook point", "attn.hook_z"),
    (
      ["run", "-p", "a", "--hook", "hook_embed", "--positions", "1"], "position 1 is out of range",
      "use 0 to 0"
    ),
    (["run", "-p", "a", "--logits", "49152"], "token 49152", "ids 0 to 49151"),
    (["models", "fetch"], "no model was named", "icl-probe models fetch smollm2"),
    (["models", "inspect"], "no model was named", "icl-probe models inspect smollm2"),
    (["models", "list", "x"], "list takes no name", "icl-probe models inspect x"),
    (["models", "--accept-licence"], "--accept-licence does nothing", "icl-probe models fetch"),
    (["models", "get"], "cannot be 'get'", "list, fetch, inspect"),
    (["completion", "zhs"], "cannot be 'zhs'", "did you mean 'zsh'?"),
    (["tasks", "--shots", "3"], "--shots does nothing", "name a task"),
  ]) func wrongCommandLine(_ arguments: [String], _ problem: String, _ remedy: String) throws {
    try Program.run(arguments).expectFailure(2, problem, remedy)
  }
}
