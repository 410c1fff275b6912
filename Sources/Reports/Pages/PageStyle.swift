/// The style sheet of every page.
let pageStyle = """

  :root {
    color-scheme: light dark;
    --paper: #ffffff; --ink: #1f2328; --quiet: #57606a; --rule: #d8dee4; --shade: #f6f8fa;
    --link: #0550ae; --good: #1a7f37; --bad: #b3261e; --open: #7a6200;
    --good-shade: #eefaf0; --bad-shade: #fdf0ef; --open-shade: #fbf7e6;
  }
  @media (prefers-color-scheme: dark) {
    :root {
      --paper: #14181d; --ink: #e6e9ec; --quiet: #a3adb8; --rule: #363d45; --shade: #1e242b;
      --link: #7db7ff; --good: #57c878; --bad: #ff8f86; --open: #dcbf52;
      --good-shade: #152a1c; --bad-shade: #331b1a; --open-shade: #2c2713;
    }
  }
  body {
    margin: 0; background: var(--paper); color: var(--ink);
    font: 16px/1.55 system-ui, -apple-system, "Segoe UI", "Helvetica Neue", Arial, sans-serif;
  }
  main { max-width: 820px; margin: 0 auto; padding: 32px 20px 64px; }
  h1 { font-size: 1.8rem; line-height: 1.25; margin: 0 0 .3rem; }
  h2 { font-size: 1.35rem; margin: 2.4rem 0 .6rem; padding-top: .9rem; border-top: 1px solid var(--rule); }
  h3 { font-size: 1.1rem; margin: 1.8rem 0 .4rem; }
  h4 { font-size: 1rem; margin: 1.4rem 0 .3rem; }
  p { margin: .6rem 0; max-width: 46rem; overflow-wrap: anywhere; }
  a { color: var(--link); }
  .lead { font-size: 1.25rem; line-height: 1.45; margin: 1.2rem 0 1.6rem; }
  .lead p { max-width: none; margin: .5rem 0; }
  .quiet, figcaption, caption { color: var(--quiet); }
  nav ul { list-style: none; padding: .8rem 1.1rem; background: var(--shade); border-radius: 6px; }
  nav .level3 { padding-left: 1.2rem; font-size: .94rem; }
  nav a { text-decoration: none; }
  nav a:hover { text-decoration: underline; }
  code, pre, .prompt { font-family: ui-monospace, "SF Mono", Menlo, Consolas, "Liberation Mono", monospace; }
  code { font-size: .9em; }
  p code, li code, td code { background: var(--shade); border-radius: 3px; padding: .1em .3em; }
  pre { background: var(--shade); border-radius: 6px; padding: .8rem 1rem; overflow-x: auto; line-height: 1.45; }
  .scroll { overflow-x: auto; margin: 1rem 0; }
  table { border-collapse: collapse; font-size: .92rem; }
  caption { text-align: left; padding-bottom: .4rem; }
  th, td { padding: .3rem .8rem; text-align: left; border-bottom: 1px solid var(--rule); vertical-align: top; }
  th { border-bottom: 2px solid var(--quiet); font-weight: 600; }
  th:first-child, td:first-child { padding-left: .2rem; }
  .number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
  figure { margin: 1.4rem 0; }
  .picture { background: #ffffff; border: 1px solid var(--rule); border-radius: 6px; padding: 8px; overflow-x: auto; }
  .picture svg { display: block; margin: 0 auto; max-width: 100%; height: auto; }
  @media (max-width: 640px) { .picture svg { max-width: none; } }
  figcaption { font-size: .9rem; margin-top: .5rem; }
  .files { overflow-wrap: anywhere; }
  .callout { border: 1px solid var(--rule); border-left: 5px solid; border-radius: 4px; padding: .5rem 1rem; margin: 1rem 0; }
  .callout p { margin: .25rem 0; }
  .verdict { font-weight: 650; font-size: .9rem; }
  .sentence { font-weight: 600; }
  .supported { background: var(--good-shade); }
  .contradicted { background: var(--bad-shade); }
  .undecided { background: var(--open-shade); }
  .callout.supported { border-left-color: var(--good); }
  .callout.contradicted { border-left-color: var(--bad); border-left-style: double; }
  .callout.undecided { border-left-color: var(--open); border-left-style: dashed; }
  .not-tested { color: var(--quiet); }
  td .verdict { display: inline-block; min-width: 7.5rem; }
  .supported .verdict { color: var(--good); }
  .contradicted .verdict { color: var(--bad); }
  .undecided .verdict { color: var(--open); }
  #tip {
    position: fixed; z-index: 2; pointer-events: none; box-sizing: border-box;
    max-width: min(24rem, calc(100vw - 8px)); padding: .3rem .6rem; border-radius: 4px;
    background: #1f2328; color: #ffffff; border: 1px solid #8c959f; font-size: .85rem;
    line-height: 1.4; white-space: pre-line; overflow-wrap: anywhere;
    font-variant-numeric: tabular-nums;
  }
  #pointed {
    position: fixed; z-index: 1; pointer-events: none; border: 2px solid #1f2328;
    outline: 1px solid #ffffff; border-radius: 2px;
  }
  #tip[hidden], #pointed[hidden] { display: none; }
  dl { display: grid; grid-template-columns: max-content 1fr; gap: .2rem 1.2rem; font-size: .92rem; }
  dt { color: var(--quiet); }
  dd { margin: 0; overflow-wrap: anywhere; font-variant-numeric: tabular-nums; }
  details { border: 1px solid var(--rule); border-radius: 6px; padding: .4rem 1rem; margin: 1rem 0; }
  summary { cursor: pointer; font-weight: 600; }
  .prompt { line-height: 2; font-size: .92rem; max-width: none; }
  .legend { font-size: .85rem; color: var(--quiet); }
  .legend .token { margin-right: .5rem; padding: .1em .4em; }
  .tokens sup { color: var(--quiet); font-size: .7rem; margin: 0 .15rem 0 .3rem; }
  .scale { display: inline-block; width: 7rem; height: .8rem; vertical-align: -.1rem; border: 1px solid var(--quiet); }
  .valued .legend .token { background: #ffffff; }
  .token { display: inline-block; line-height: 1.25; color: #1f2328; border-radius: 2px; padding: .12em .06em; margin-right: 1px; border-bottom: 2px solid; }
  .look0 { background: #d3e6f5; border-color: #0072b2; }
  .look1 { background: #fbdfcd; border-color: #d55e00; border-bottom-style: double; border-bottom-width: 3px; }
  .look2 { background: #cdeade; border-color: #007f5f; border-bottom-style: dashed; }
  .look3 { background: #f0d9e8; border-color: #a8498a; border-bottom-style: dotted; }
  .look4 { background: #efe7c4; border-color: #8a6d00; border-bottom-style: solid; }
  .look5 { background: #e3e3e3; border-color: #4d4d4d; border-bottom-style: dashed; }
  .look6 { background: #e2dcf5; border-color: #5b46a8; border-bottom-style: double; border-bottom-width: 3px; }
  .look7 { background: #ffffff; border-color: #8c959f; border-bottom-style: dotted; }
  @media (max-width: 640px) { dl { grid-template-columns: minmax(0, 1fr); gap: 0; } dd { margin-bottom: .4rem; } }
  @media print {
    #tip, #pointed { display: none; }
    .scroll, .picture { overflow: visible; }
    main { max-width: none; padding: 0; }
    figure, .callout, tr { break-inside: avoid; }
    h2, h3, h4 { break-after: avoid; }
    * { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
  }

  """
