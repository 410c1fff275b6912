import Terminal

/// A small program with everything that a command may declare.
let sampleCommand = CommandSpecification(
  name: "probe-demo",
  summary: "Look into a language model.",
  discussion: """
    A model is read once, and every command works on the same files. This paragraph is long
    enough to be wrapped.

    A second paragraph.
    """,
  options: [
    OptionSpecification(
      long: "threads", short: "t", valueName: "N", help: "Threads to work with.",
      defaultText: "all cores")
  ],
  subcommands: [
    CommandSpecification(
      name: "run",
      summary: "Run a prompt and show the likeliest next tokens.",
      arguments: [
        ArgumentSpecification(name: "PROMPT", help: "Text to run.", isOptional: true)
      ],
      options: [
        OptionSpecification(
          long: "model", short: "m", valueName: "MODEL", help: "Model file or folder.",
          isRequired: true),
        OptionSpecification(
          long: "probe", valueName: "NAME", help: "Experiment to run on the way.", repeats: true),
        OptionSpecification(
          long: "metric", valueName: "METRIC", help: "What to measure.",
          defaultText: "logit", choices: ["logit", "probability", "rank"]),
        OptionSpecification(
          long: "a-very-long-option-name", valueName: "TEXT", help: "Has a line of its own."),
        OptionSpecification(long: "tokens", valueName: "IDS", help: "Token ids."),
        OptionSpecification(long: "scale", valueName: "X", help: "Scale."),
        OptionSpecification(long: "json", short: "j", help: "Write JSON."),
        OptionSpecification(long: "quiet", short: "q", help: "Show no progress."),
      ],
      examples: [
        CommandExample(
          line: "probe-demo run --model m.gguf 'apple -> A'", comment: "What comes next?")
      ]),
    CommandSpecification(
      name: "completion", summary: "Print a completion script.",
      arguments: [
        ArgumentSpecification(name: "SHELL", help: "The shell.", choices: ["bash", "zsh", "fish"])
      ]),
    CommandSpecification(
      name: "copy", summary: "Copy files; don't ask.",
      arguments: [
        ArgumentSpecification(name: "TARGET", help: "Where to."),
        ArgumentSpecification(name: "FILE", help: "What.", repeats: true),
      ]),
  ])
