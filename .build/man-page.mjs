/** sysg(1) in the language of man(7), from the same definitions as docs/cli.md. `exitCodes`: rows of code and meaning. */
export function manPage({ verbs, globalOptions, synopsis, version, exitCodes }) {
  const shown = verbs.filter(({ hidden }) => hidden !== true);
  return `.\\" Made by .build/docs.mjs from src/cli/verbs.ts: change that, then run: npm run docs
.TH SYSG 1 "" "sysg ${version}" "User Commands"
.SH NAME
sysg \\- a process supervisor
.SH SYNOPSIS
.B sysg
.RI [ flags ]
.I command
.RI [ flags ]
.RI [ words ]
.SH DESCRIPTION
sysg starts the services of one YAML file in the order of their dependencies, watches them, and restarts them as the file says.
.B sysg start
runs a supervisor in the foreground,
.B sysg start \\-\\-daemonize
in the background; the other commands ask it. Flags come before or after each other in any order;
.B \\-\\-name=value
and
.B \\-\\-name value
are the same. The configuration is described in docs/configuration.md of the package.
.SH FLAGS OF EVERY COMMAND
${globalOptions.map(option).join('\n')}
.SH COMMANDS
${shown.map((verb) => command(verb, synopsis(verb))).join('\n')}
.SH EXIT STATUS
${exitCodes.map(([code, meaning]) => `.TP\n.B ${text(code)}\n${text(meaning)}`).join('\n')}
.SH ENVIRONMENT
.TP
.B HOME
where state, logs and configuration are
.TP
.B SYSG_PROJECT
the project that commands mean, without
.B \\-\\-project
.TP
.B RUST_LOG
what the supervisor logs, without
.B \\-\\-log\\-level
.TP
.B NO_COLOR
plain tables
.SH FILES
.TP
.I sysg.config.yaml\\fR, \\fIsysg.yaml\\fR, \\fIsystemg.yaml
the configuration, in the working directory or in ~/.config/systemg (/etc/systemg with
.BR \\-\\-sys )
.TP
.I ~/.local/share/systemg
state, with the logs in
.IR logs ;
/var/lib/systemg and /var/log/systemg with
.BR \\-\\-sys ;
those of a project in projects/NAME below
`;
}

function command({ name, about, more, options, operands, examples }, line) {
  return [
    `.SS ${text(name)}`, `.B ${text(line)}`, '.PP', text(`${about.charAt(0).toUpperCase()}${about.slice(1)}.`),
    ...(more === undefined ? [] : ['.PP', text(more)]),
    ...(operands === undefined ? [] : ['.TP', `.I ${text(operands.shown)}`, text(operands.about)]),
    ...options.map(option), ...examples.flatMap(([call, means]) => ['.TP', `.B ${text(call)}`, text(means)]),
  ].join('\n');
}

function option({ name, short, value, about }) {
  const letter = short === undefined ? '' : `\\fB${text(`-${short}`)}\\fR, `;
  const what = value === undefined ? '' : ` \\fI${text(value)}\\fR`;
  return `.TP\n${letter}\\fB${text(`--${name}`)}\\fR${what}\n${text(about)}`;
}

/** Text that is no request: groff_char(7). Code is bold. */
function text(words) {
  return words.replaceAll('\\', '\\e').replaceAll('-', '\\-').replaceAll('…', '...').replaceAll('→', '\\(->')
    .replaceAll(/`([^`]+)`/g, '\\fB$1\\fR').replaceAll(/^([.'])/gm, '\\&$1');
}
