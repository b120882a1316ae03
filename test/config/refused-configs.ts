/** A title, a configuration, and everything that is said about it, without the directory of the file. */
export const refusedConfigs: readonly (readonly [title: string, yaml: string, problems: readonly string[]])[] = [
  ['an empty file', ``, [
    'sysg.yaml:1:1: missing field `version`',
    'sysg.yaml:1:1: missing field `services`',
  ]],
  ['a file of comments', `# nothing
`, [
    'sysg.yaml:1:1: missing field `version`',
    'sysg.yaml:1:1: missing field `services`',
  ]],
  ['a list instead of a map', `- a
- b
`, [
    "sysg.yaml:1:1: expected a map with 'version' and 'services', got a list",
  ]],
  ['a bare word', `hello
`, [
    `sysg.yaml:1:1: expected a map with 'version' and 'services', got "hello"`,
  ]],
  ['a version that is a list', `version: ["1"]
services: {}
`, [
    'sysg.yaml:1:10: version: expected a version such as "1", got a list',
  ]],
  ['no services', `version: "1"
`, [
    'sysg.yaml:1:1: missing field `services`',
  ]],
  ['no version', `services: {}
`, [
    'sysg.yaml:1:1: missing field `version`: write version: "1"',
  ]],
  ['no version, and more that is wrong', `services: {web: {comand: x}}
`, [
    'sysg.yaml:1:1: missing field `version`: write version: "1"',
    'sysg.yaml:1:12: services.web: missing field `command` (or `exec`)',
    "sysg.yaml:1:18: services.web.comand: unknown key 'comand', did you mean 'command'?",
  ]],
  ['services as a list', `version: "1"
services: [web]
`, [
    'sysg.yaml:2:11: services: expected a map of services by name, got a list',
  ]],
  ['a service that is a word', `version: "1"
services:
  web: sleep 5
`, [
    'sysg.yaml:3:8: services.web: expected a map of service keys, got "sleep 5"',
  ]],
  ['a service without a body', `version: "1"
services:
  web:
`, [
    'sysg.yaml:3:7: services.web: expected a map of service keys, got nothing',
  ]],
  ['a service without a command', `version: "1"
services:
  web: {restart_policy: always}
`, [
    'sysg.yaml:3:3: services.web: missing field `command` (or `exec`)',
  ]],
  ['a command that is empty', `version: "1"
services:
  web: {command: ""}
`, [
    'sysg.yaml:3:18: services.web.command: expected a command, got ""',
  ]],
  ['commands that are numbers, of keys that systemg 0.33.0 does not know', `version: "1"
services:
  web: {command: 8080, stop_command: 5, logs: {logger: 1.5}}
`, [
    'sysg.yaml:3:38: services.web.stop_command: expected a command, got 5; a program of that name is written "5"',
    'sysg.yaml:3:56: services.web.logs.logger: expected a command, got 1.5; a program of that name is written "1.5"',
  ]],
  ['a command that is a list', `version: "1"
services:
  web: {command: [sleep, "5"]}
`, [
    'sysg.yaml:3:18: services.web.command: expected a command, got a list; a list of words belongs to \'exec\'',
  ]],
  ['command and exec together', `version: "1"
services:
  web: {command: sleep 5, exec: [sleep, "5"]}
`, [
    "sysg.yaml:3:33: services.web.exec: 'command' and 'exec' exclude each other",
  ]],
  ['exec as a word', `version: "1"
services:
  web: {exec: sleep 5}
`, [
    'sysg.yaml:3:15: services.web.exec: expected a list of words, got "sleep 5"; write [sleep, 5]',
  ]],
  ['exec without words', `version: "1"
services:
  web: {exec: []}
`, [
    'sysg.yaml:3:15: services.web.exec: expected a list of words, got an empty list',
  ]],
  ['exec with an empty program', `version: "1"
services:
  web: {exec: ["", a]}
`, [
    'sysg.yaml:3:15: services.web.exec: expected the name of a program as first word, got ""',
  ]],
  ['exec with a map in it', `version: "1"
services:
  web: {exec: [sleep, {a: b}]}
`, [
    "sysg.yaml:3:23: services.web.exec.1: expected a command, got a map; a text that begins with '{' or has ': ' in it needs quotes",
  ]],
  ['an unknown key at the top', `version: "1"
services: {}
service: {}
`, [
    "sysg.yaml:3:1: service: unknown key 'service', did you mean 'services'?",
  ]],
  ['a misspelt service key', `version: "1"
services:
  web:
    command: sleep 5
    restart_polcy: always
`, [
    "sysg.yaml:5:5: services.web.restart_polcy: unknown key 'restart_polcy', did you mean 'restart_policy'?",
  ]],
  ['a documented key that never existed', `version: "1"
services:
  web:
    command: sleep 5
    work_dir: /srv
    deployment_strategy: rolling
    retries: 3
`, [
    "sysg.yaml:5:5: services.web.work_dir: unknown key 'work_dir', did you mean 'working_dir'?",
    "sysg.yaml:6:5: services.web.deployment_strategy: unknown key 'deployment_strategy', did you mean 'deployment: {strategy: …}'?",
    "sysg.yaml:7:5: services.web.retries: unknown key 'retries', did you mean 'max_restarts'?",
  ]],
  ['keys of other supervisors', `version: "1"
services:
  web:
    command: sleep 5
    restart: always
    environment: {A: b}
    cwd: /srv
    type: oneshot
    cron: {expression: "* * * * *", every: 5m}
`, [
    "sysg.yaml:5:5: services.web.restart: unknown key 'restart', did you mean 'restart_policy'?",
    "sysg.yaml:6:5: services.web.environment: unknown key 'environment', did you mean 'env'?",
    "sysg.yaml:7:5: services.web.cwd: unknown key 'cwd', did you mean 'working_dir'?",
    "sysg.yaml:8:5: services.web.type: unknown key 'type', did you mean 'oneshot: true'?",
    "sysg.yaml:9:37: services.web.cron.every: unknown key 'every', expected one of expression, timezone, overlap, timeout, catch_up",
  ]],
  ['a merge key without a map, twice, and in quotes', `version: "1"
services:
  base: &base {command: sleep 5}
  web:
    <<: [*base, 5]
    <<: *base
    "<<": *base
`, [
    'sysg.yaml:5:17: services.web."<<": expected a map to merge, such as *name of an anchor &name, got 5',
    "sysg.yaml:6:5: services.web: duplicate key '<<': several maps are merged as a list, <<: [*one, *other]",
    "sysg.yaml:7:5: services.web.\"<<\": unknown key '<<'",
  ]],
  ['a duplicate service', `version: "1"
services:
  web: {command: sleep 5}
  web: {command: sleep 6}
`, [
    "sysg.yaml:4:3: services.web: duplicate key 'web', first given in line 3",
  ]],
  ['a duplicate key', `version: "1"
services:
  web:
    command: sleep 5
    command: sleep 6
`, [
    "sysg.yaml:5:5: services.web.command: duplicate key 'command', first given in line 4",
  ]],
  ['two documents', `version: "1"
services: {}
---
version: "1"
`, [
    'sysg.yaml:3:1: deserializing from YAML containing more than one document is not supported: a second document begins here',
  ]],
  ['an unclosed list', `version: "1"
services:
  web:
    exec: [sleep
    stop_timeout: 5s
  db:
    command: x
`, [
    'sysg.yaml:5:5: Flow sequence in block collection must be sufficiently indented and end with a ]',
  ]],
  ['a tab as indentation', `version: "1"
services:
  web:
	command: sleep 5
`, [
    'sysg.yaml:4:1: Tabs are not allowed as indentation',
  ]],
  ['a bad escape', `version: "1"
services:
  web: {command: "a\\q"}
`, [
    "sysg.yaml:3:20: Invalid escape sequence \\q",
  ]],
  ['an unknown tag', `version: "1"
services:
  web: {command: !sh sleep 5}
`, [
    "sysg.yaml:3:18: Unresolved tag: !sh; a text that begins with '!' needs quotes",
  ]],
  ['an unknown alias', `version: "1"
services:
  web: {command: *cmd}
`, [
    "sysg.yaml:3:18: services.web.command: unknown alias '*cmd': no anchor '&cmd' is complete above it; a text that begins with '*' needs quotes",
  ]],
  ['an alias inside itself', `version: "1"
services: &all
  web: *all
`, [
    "sysg.yaml:3:8: services.web: unknown alias '*all': no anchor '&all' is complete above it; a text that begins with '*' needs quotes",
  ]],
  ['aliases that stand for aliases, of which a supervisor could keep no copy', `version: "1"
x-0: &a0 [${Array.from({ length: 10 }, () => 'x').join()}]
${[1, 2, 3, 4, 5, 6, 7].map((level) => `x-${level}: &a${level} [${Array.from({ length: 10 }, () => `*a${level - 1}`).join()}]`).join('\n')}
services:
  web: {command: sleep 5}
`, [
    "sysg.yaml:7:39: x-5.7: expected at most 1000000 values, aliases followed; '*a4' makes more of them",
  ]],
  ['a list as key', `version: "1"
services:
  ? [a]
  : {command: sleep 5}
`, [
    'sysg.yaml:3:5: services: expected a word as key, got a list',
  ]],
  ['a quoted number', `version: "1"
services:
  web:
    command: sleep 5
    max_restarts: "5"
`, [
    'sysg.yaml:5:19: services.web.max_restarts: expected a whole number ≥ 0, got "5" (a string; remove the quotes)',
  ]],
  ['a word as number', `version: "1"
services:
  web:
    command: sleep 5
    max_restarts: many
`, [
    'sysg.yaml:5:19: services.web.max_restarts: expected a whole number ≥ 0, got "many"',
  ]],
  ['a negative number', `version: "1"
services:
  web:
    command: sleep 5
    max_restarts: -1
`, [
    'sysg.yaml:5:19: services.web.max_restarts: expected a whole number ≥ 0, got -1',
  ]],
  ['a fraction as number', `version: "1"
services:
  web:
    command: sleep 5
    max_restarts: 1.5
`, [
    'sysg.yaml:5:19: services.web.max_restarts: expected a whole number ≥ 0, got 1.5',
  ]],
  ['too large a number', `version: "1"
services:
  web:
    command: sleep 5
    max_restarts: 4294967296
`, [
    'sysg.yaml:5:19: services.web.max_restarts: expected a whole number from 0 to 4294967295, got 4294967296',
  ]],
  ['an unknown restart policy', `version: "1"
services:
  web:
    command: sleep 5
    restart_policy: on_failure
`, [
    `sysg.yaml:5:21: services.web.restart_policy: expected 'always', 'on-failure' or 'never', got "on_failure", did you mean 'on-failure'?`,
  ]],
  ['a word as flag', `version: "1"
services:
  web:
    command: sleep 5
    essential: yes
`, [
    'sysg.yaml:5:16: services.web.essential: expected true or false, got "yes"',
  ]],
  ['a duration with an unknown unit', `version: "1"
services:
  web:
    command: sleep 5
    stop_timeout: 5 minutes
`, [
    'sysg.yaml:5:19: services.web.stop_timeout: expected a duration such as 500ms, 5s, 2m, 1h or 1d, got "5 minutes"',
  ]],
  ['a compound duration', `version: "1"
services:
  web:
    command: sleep 5
    stop_timeout: 1m30s
`, [
    'sysg.yaml:5:19: services.web.stop_timeout: expected a duration such as 500ms, 5s, 2m, 1h or 1d, got "1m30s"',
  ]],
  ['a negative duration', `version: "1"
services:
  web:
    command: sleep 5
    stop_timeout: -5s
`, [
    'sysg.yaml:5:19: services.web.stop_timeout: expected a duration such as 500ms, 5s, 2m, 1h or 1d, got "-5s"',
  ]],
  ['a duration finer than a millisecond', `version: "1"
services:
  web:
    command: sleep 5
    stop_timeout: 0.5ms
`, [
    'sysg.yaml:5:19: services.web.stop_timeout: expected a duration of whole milliseconds, got "0.5ms"',
  ]],
  ['a duration of centuries', `version: "1"
services:
  web:
    command: sleep 5
    stop_timeout: 40000d
`, [
    'sysg.yaml:5:19: services.web.stop_timeout: expected a duration of at most 36500d, got "40000d"',
  ]],
  ['a window of nothing', `version: "1"
services:
  web:
    command: sleep 5
    max_restarts: 3
    restart_window: 0s
`, [
    'sysg.yaml:6:21: services.web.restart_window: expected a duration longer than 0s, got "0s"',
  ]],
  ['a map as duration', `version: "1"
services:
  web:
    command: sleep 5
    stop_timeout: {seconds: 5}
`, [
    "sysg.yaml:5:19: services.web.stop_timeout: expected a duration such as 500ms, 5s, 2m, 1h or 1d, got a map; a text that begins with '{' or has ': ' in it needs quotes",
  ]],
  ['a backoff that shrinks', `version: "1"
services:
  web:
    command: sleep 5
    backoff: {initial: 2m, max: 10s}
`, [
    'sysg.yaml:5:24: services.web.backoff.initial: expected at most max (10s), got 2m',
  ]],
  ['a backoff above the default maximum', `version: "1"
services:
  web:
    command: sleep 5
    backoff: {initial: 2m}
`, [
    'sysg.yaml:5:24: services.web.backoff.initial: expected at most max (1m, the default), got 2m',
  ]],
  ['a jitter of more than one', `version: "1"
services:
  web:
    command: sleep 5
    backoff: {jitter: 2, factor: 0.5}
`, [
    'sysg.yaml:5:23: services.web.backoff.jitter: expected a number from 0 to 1, got 2',
    'sysg.yaml:5:34: services.web.backoff.factor: expected a number from 1 to 1000, got 0.5',
  ]],
  ['an unknown signal', `version: "1"
services:
  web:
    command: sleep 5
    stop_signal: TRM
`, [
    `sysg.yaml:5:18: services.web.stop_signal: expected a signal name such as SIGTERM, got "TRM", did you mean 'SIGTERM'?`,
  ]],
  ['an exit code that cannot be', `version: "1"
services:
  web:
    command: sleep 5
    success_exit_codes: [0, 256]
`, [
    'sysg.yaml:5:29: services.web.success_exit_codes.1: expected a whole number from 0 to 255, got 256',
  ]],
  ['exit codes without a list', `version: "1"
services:
  web:
    command: sleep 5
    success_exit_codes: 0
`, [
    'sysg.yaml:5:25: services.web.success_exit_codes: expected a list of exit codes, got 0; write [0]',
  ]],
  ['an unknown dependency', `version: "1"
services:
  a: {command: sleep 5, depends_on: [zz]}
`, [
    "sysg.yaml:3:38: services.a.depends_on.0: Service 'a' declares unknown dependency 'zz'",
  ]],
  ['a misspelt dependency', `version: "1"
services:
  web: {command: sleep 5, depends_on: [databse]}
  database: {command: sleep 6}
`, [
    "sysg.yaml:3:40: services.web.depends_on.0: Service 'web' declares unknown dependency 'databse', did you mean 'database'?",
  ]],
  ['a misspelt dependency that is like the name of the service itself', `version: "1"
services:
  web: {command: sleep 5, depends_on: [wep]}
`, [
    "sysg.yaml:3:40: services.web.depends_on.0: Service 'web' declares unknown dependency 'wep'",
  ]],
  ['a dependency on itself', `version: "1"
services:
  a: {command: sleep 5, depends_on: [a]}
`, [
    'sysg.yaml:3:38: services.a.depends_on.0: Detected dependency cycle: a -> a',
  ]],
  ['a circle of dependencies', `version: "1"
services:
  a: {command: sleep 5, depends_on: [b]}
  b: {command: sleep 6, depends_on: [a]}
  c: {command: sleep 7, depends_on: [b]}
`, [
    'sysg.yaml:4:38: services.b.depends_on.0: Detected dependency cycle: a -> b -> a',
  ]],
  ['a longer circle', `version: "1"
services:
  top: {command: x, depends_on: [a]}
  a: {command: x, depends_on: [b]}
  b: {command: x, depends_on: [c]}
  c: {command: x, depends_on: [a]}
`, [
    'sysg.yaml:6:32: services.c.depends_on.0: Detected dependency cycle: a -> b -> c -> a',
  ]],
  ['dependencies as a word', `version: "1"
services:
  a: {command: sleep 5, depends_on: b}
  b: {command: sleep 6}
`, [
    'sysg.yaml:3:37: services.a.depends_on: expected a list of service names, got "b"; write [b]',
  ]],
  ['a dependency with an unknown condition', `version: "1"
services:
  a: {command: sleep 5, depends_on: [{service: b, condition: ready}]}
  b: {command: sleep 6}
`, [
    `sysg.yaml:3:62: services.a.depends_on.0.condition: expected 'started', 'healthy' or 'completed', got "ready"`,
  ]],
  ['a dependency without a name', `version: "1"
services:
  a: {command: sleep 5, depends_on: [{condition: started}]}
`, [
    'sysg.yaml:3:38: services.a.depends_on.0: missing field `service`',
  ]],
  ['a dependency that can never be healthy', `version: "1"
services:
  a: {command: sleep 5, depends_on: [{service: b, condition: healthy}]}
  b: {command: sleep 6}
`, [
    "sysg.yaml:3:62: services.a.depends_on.0.condition: 'b' has no health_check that could make it healthy",
  ]],
  ['one dependency twice in different ways', `version: "1"
services:
  a: {command: sleep 5, depends_on: [b, {service: b, condition: started}]}
  b: {command: sleep 6}
`, [
    "sysg.yaml:3:41: services.a.depends_on.1: 'b' is listed twice, with different conditions",
  ]],
  ['a name with a slash', `version: "1"
services:
  a/b: {command: sleep 5}
`, [
    `sysg.yaml:3:3: services."a/b": expected a name without '/' and control characters, got 'a/b'`,
  ]],
  ['a name of dots', `version: "1"
services:
  ..: {command: sleep 5}
`, [
    `sysg.yaml:3:3: services."..": expected a name other than '.' and '..', got '..'`,
  ]],
  ['an empty name', `version: "1"
services:
  "": {command: sleep 5}
`, [
    `sysg.yaml:3:3: services."": expected a name that is not empty, got ''`,
  ]],
  ['a name with a control character', `version: "1"
services:
  "a\\tb": {command: sleep 5}
`, [
    "sysg.yaml:3:3: services.\"a\\tb\": expected a name without '/' and control characters, got 'a\\tb'",
  ]],
  ['env as a list', `version: "1"
services:
  web:
    command: sleep 5
    env: [A=b]
`, [
    "sysg.yaml:5:10: services.web.env: expected a map of variables, or of 'file' and 'vars', got a list",
  ]],
  ['a variable without a value', `version: "1"
services:
  web:
    command: sleep 5
    env:
      A:
`, [
    'sysg.yaml:6:9: services.web.env.A: expected a string, got nothing; write "" for an empty value',
  ]],
  ['a variable that is a list', `version: "1"
services:
  web:
    command: sleep 5
    env: {vars: {A: [1]}}
`, [
    'sysg.yaml:5:21: services.web.env.vars.A: expected a string, got a list',
  ]],
  ['a variable name with an equals sign', `version: "1"
services:
  web:
    command: sleep 5
    env: {"A=B": c}
`, [
    `sysg.yaml:5:18: services.web.env."A=B": expected a variable name without '=' and NUL`,
  ]],
  ['an unknown variable', `version: "1"
services:
  web:
    command: sleep 5
    working_dir: $NOWHERE/x
`, [
    'sysg.yaml:5:18: services.web.working_dir: Missing environment variable: NOWHERE (write $$ for a dollar)',
  ]],
  ['a reference that is not closed', `version: "1"
services:
  web:
    command: sleep 5
    working_dir: "\${HOME"
`, [
    'sysg.yaml:5:18: services.web.working_dir: expected ${NAME} or ${NAME:-default} after a dollar and a brace; write $$ for a dollar',
  ]],
  ['variables that refer to each other', `version: "1"
services:
  web:
    command: sleep 5
    env: {A: $B, B: $A}
`, [
    'sysg.yaml:5:14: services.web.env.A: variables refer to each other in a circle: A -> B -> A',
  ]],
  ['a variable that refers to some that refer to each other', `version: "1"
services:
  web:
    command: sleep 5
    env: {FIRST: $A, A: $B, B: $A}
`, [
    'sysg.yaml:5:25: services.web.env.A: variables refer to each other in a circle: A -> B -> A',
  ]],
  ['a command with a NUL', `version: "1"
services:
  web:
    command: "a\\0b"
`, [
    'sysg.yaml:4:14: services.web.command: expected a command without NUL characters',
  ]],
  ['a hook as a word', `version: "1"
services:
  web:
    command: sleep 5
    hooks: {on_start: echo}
`, [
    `sysg.yaml:5:23: services.web.hooks.on_start: expected a map of the outcomes 'success' and 'error', got "echo"`,
  ]],
  ['a hook outcome as a word', `version: "1"
services:
  web:
    command: sleep 5
    hooks: {on_start: {success: echo}}
`, [
    `sysg.yaml:5:33: services.web.hooks.on_start.success: expected a map of hook keys such as {command: 'echo started'}, got "echo"`,
  ]],
  ['a hook without a command', `version: "1"
services:
  web:
    command: sleep 5
    hooks: {on_start: {success: {timeout: 5s}}}
`, [
    'sysg.yaml:5:24: services.web.hooks.on_start.success: missing field `command`',
  ]],
  ['an unknown hook stage', `version: "1"
services:
  web:
    command: sleep 5
    hooks: {on_error: {success: {command: x}}}
`, [
    "sysg.yaml:5:13: services.web.hooks.on_error: unknown key 'on_error', did you mean 'on_start: {error: …}'?",
  ]],
  ['a check of nothing', `version: "1"
services:
  web:
    command: sleep 5
    health_check: {interval: 5s}
`, [
    "sysg.yaml:5:5: services.web.health_check: health check requires at least one of 'url' or 'command' (or 'tcp', 'log', 'notify_fd')",
  ]],
  ['a check of two things', `version: "1"
services:
  web:
    command: sleep 5
    health_check: {url: "http://localhost/", tcp: "localhost:80"}
`, [
    "sysg.yaml:5:51: services.web.health_check.tcp: 'url' and 'tcp' exclude each other",
  ]],
  ['a check with a bad URL', `version: "1"
services:
  web:
    command: sleep 5
    health_check: {url: "localhost:80"}
`, [
    'sysg.yaml:5:25: services.web.health_check.url: expected an http or https URL, got "localhost:80"',
  ]],
  ['a check with a bad address', `version: "1"
services:
  web:
    command: sleep 5
    health_check: {tcp: "localhost"}
`, [
    'sysg.yaml:5:25: services.web.health_check.tcp: expected an address such as 127.0.0.1:8080, localhost:8080 or [::1]:8080, got "localhost"',
  ]],
  ['a check with a bad pattern', `version: "1"
services:
  web:
    command: sleep 5
    health_check: {log: "(ready"}
`, [
    'sysg.yaml:5:25: services.web.health_check.log: expected a regular expression, got "(ready" (/(ready/: Unterminated group)',
  ]],
  ['a check that never pauses', `version: "1"
services:
  web:
    command: sleep 5
    health_check: {command: "true", interval: 0}
`, [
    'sysg.yaml:5:47: services.web.health_check.interval: expected a duration longer than 0s, got 0',
  ]],
  ['statuses without a URL', `version: "1"
services:
  web:
    command: sleep 5
    health_check: {command: "true", expect_status: 204}
`, [
    "sysg.yaml:5:52: services.web.health_check.expect_status: needs 'url'",
  ]],
  ['a descriptor that is stdout', `version: "1"
services:
  web:
    command: sleep 5
    health_check: {notify_fd: 1}
`, [
    'sysg.yaml:5:31: services.web.health_check.notify_fd: expected a whole number from 3 to 1023, got 1',
  ]],
  ['on_unhealthy in a deployment', `version: "1"
services:
  web:
    command: sleep 5
    deployment: {health_check: {command: "true", on_unhealthy: none}}
`, [
    "sysg.yaml:5:50: services.web.deployment.health_check.on_unhealthy: unknown key 'on_unhealthy', expected one of url, command, tcp, log, notify_fd, interval, timeout, attempt_timeout, retries, start_period, expect_status",
  ]],
  ['an unknown strategy', `version: "1"
services:
  web:
    command: sleep 5
    deployment: {strategy: Rolling}
`, [
    `sysg.yaml:5:28: services.web.deployment.strategy: expected 'immediate' or 'rolling', got "Rolling", did you mean 'rolling'?`,
  ]],
  ['blue-green without slots', `version: "1"
services:
  web:
    command: sleep 5
    deployment: {strategy: rolling, blue_green: {switch_command: x}}
`, [
    'sysg.yaml:5:37: services.web.deployment.blue_green: missing field `slots`',
  ]],
  ['blue-green with three slots', `version: "1"
services:
  web:
    command: sleep 5
    deployment: {strategy: rolling, blue_green: {slots: [1, 2, 3], switch_command: x}}
`, [
    "sysg.yaml:5:57: services.web.deployment.blue_green.slots: blue_green.slots for 'web' must contain exactly two entries, got 3",
  ]],
  ['blue-green with one slot twice', `version: "1"
services:
  web:
    command: sleep 5
    deployment: {strategy: rolling, blue_green: {slots: [1, 1], switch_command: x}}
`, [
    'sysg.yaml:5:57: services.web.deployment.blue_green.slots: expected two different slots, got "1" twice',
  ]],
  ['blue-green without a switch', `version: "1"
services:
  web:
    command: sleep 5
    deployment: {strategy: rolling, blue_green: {slots: [1, 2]}}
`, [
    "sysg.yaml:5:37: services.web.deployment.blue_green: blue_green.switch_command is required for service 'web'",
  ]],
  ['a cron expression of three fields', `version: "1"
services:
  web:
    command: sleep 5
    cron: "1 2 3"
`, [
    "sysg.yaml:5:11: services.web.cron: Invalid cron expression '1 2 3': expected 5, 6 or 7 fields, got 3",
  ]],
  ['a cron field out of range', `version: "1"
services:
  web:
    command: sleep 5
    cron: {expression: "61 24 0 13 8"}
`, [
    `sysg.yaml:5:24: services.web.cron.expression: Invalid cron expression '61 24 0 13 8': minute: expected 0-59, got "61"; hour: expected 0-23, got "24"; day of month: expected 1-31, got "0"; month: expected 1-12 or a name, got "13"; day of week: expected 0-7 or a name, got "8"`,
  ]],
  ['a cron step of nothing', `version: "1"
services:
  web:
    command: sleep 5
    cron: "*/0 * * * *"
`, [
    `sysg.yaml:5:11: services.web.cron: Invalid cron expression '*/0 * * * *': minute: expected a step of at least 1, got "*/0"`,
  ]],
  ['a cron range backwards', `version: "1"
services:
  web:
    command: sleep 5
    cron: "* * * * SAT-SUN"
`, [
    `sysg.yaml:5:11: services.web.cron: Invalid cron expression '* * * * SAT-SUN': day of week: expected an ascending range, got "SAT-SUN"`,
  ]],
  ['a day that never comes', `version: "1"
services:
  web:
    command: sleep 5
    cron: "0 0 31 2 *"
`, [
    "sysg.yaml:5:11: services.web.cron: Invalid cron expression '0 0 31 2 *': never due: no day from 1970 to 2100 is day 31, month 2",
  ]],
  ['an unknown time zone', `version: "1"
services:
  web:
    command: sleep 5
    cron: {expression: "@daily", timezone: Europe/Pariss}
`, [
    "sysg.yaml:5:44: services.web.cron.timezone: Invalid timezone 'Europe/Pariss': expected 'local', 'UTC' or an IANA name such as 'Europe/Paris'",
  ]],
  ['cron without an expression', `version: "1"
services:
  web:
    command: sleep 5
    cron: {timezone: UTC}
`, [
    'sysg.yaml:5:5: services.web.cron: missing field `expression`',
  ]],
  ['an unknown spawn mode', `version: "1"
services:
  web:
    command: sleep 5
    spawn: {mode: Dynamic}
`, [
    `sysg.yaml:5:19: services.web.spawn.mode: expected 'static' or 'dynamic', got "Dynamic", did you mean 'dynamic'?`,
  ]],
  ['an unknown termination policy', `version: "1"
services:
  web:
    command: sleep 5
    spawn: {mode: dynamic, limits: {termination_policy: kill}}
`, [
    `sysg.yaml:5:57: services.web.spawn.limits.termination_policy: expected 'cascade', 'orphan' or 'reparent', got "kill"`,
  ]],
  ['the documented spawn limit', `version: "1"
services:
  web:
    command: sleep 5
    spawn: {mode: dynamic, limit: 5}
`, [
    "sysg.yaml:5:28: services.web.spawn.limit: unknown key 'limit', did you mean 'limits'?",
  ]],
  ['a limit with a binary suffix', `version: "1"
services:
  web:
    command: sleep 5
    limits: {nofile: 4KiB}
`, [
    `sysg.yaml:5:22: services.web.limits.nofile: expected a non-negative integer, an optional size suffix (e.g. 512M), or 'unlimited', got "4KiB"`,
  ]],
  ['a negative limit', `version: "1"
services:
  web:
    command: sleep 5
    limits: {nofile: -1}
`, [
    "sysg.yaml:5:22: services.web.limits.nofile: expected a non-negative integer, an optional size suffix (e.g. 512M), or 'unlimited', got -1",
  ]],
  ['a priority out of range', `version: "1"
services:
  web:
    command: sleep 5
    limits: {nice: 50}
`, [
    'sysg.yaml:5:20: services.web.limits.nice: expected a whole number from -20 to 19, got 50',
  ]],
  ['an unknown capability', `version: "1"
services:
  web:
    command: sleep 5
    capabilities: [CAP_NET_BIND]
`, [
    `sysg.yaml:5:20: services.web.capabilities.0: expected a capability such as CAP_NET_BIND_SERVICE, got "CAP_NET_BIND", did you mean 'CAP_NET_BIND_SERVICE'?`,
  ]],
  ['an isolation that cannot be enforced', `version: "1"
services:
  web:
    command: sleep 5
    isolation: {private_tmp: true, seccomp: strict, private_devices: false}
`, [
    "sysg.yaml:5:30: services.web.isolation.private_tmp: 'private_tmp' cannot be enforced; systemg 0.33.0 accepts and ignores it",
    "sysg.yaml:5:45: services.web.isolation.seccomp: 'seccomp' cannot be enforced; systemg 0.33.0 accepts and ignores it",
  ]],
  ['an unknown isolation', `version: "1"
services:
  web:
    command: sleep 5
    isolation: {networks: true}
`, [
    "sysg.yaml:5:17: services.web.isolation.networks: unknown key 'networks', did you mean 'network'?",
  ]],
  ['a relative control group', `version: "1"
services:
  web:
    command: sleep 5
    limits: {cgroup: {root: sysg, cpu_weight: 0}}
`, [
    'sysg.yaml:5:29: services.web.limits.cgroup.root: expected an absolute path, got "sysg"',
    'sysg.yaml:5:47: services.web.limits.cgroup.cpu_weight: expected a whole number from 1 to 10000, got 0',
  ]],
  ['a logger that has no stream', `version: "1"
services:
  web:
    command: sleep 5
    logs: {via: file, logger: cat}
`, [
    "sysg.yaml:5:31: services.web.logs.logger: 'logger' and 'via: file' exclude each other",
  ]],
  ['a rotation at each line', `version: "1"
services:
  web:
    command: sleep 5
    logs: {rotate: {size: 10}}
`, [
    'sysg.yaml:5:27: services.web.logs.rotate.size: expected a size of at least 4K, got 10',
  ]],
  ['a bad size', `version: "1"
services:
  web:
    command: sleep 5
    logs: {rotate: {size: 10X}}
`, [
    'sysg.yaml:5:27: services.web.logs.rotate.size: expected a size such as 512M, 1G or a number of bytes, got "10X"',
  ]],
  ['metrics with a word', `version: "1"
services: {}
metrics: {retention_minutes: long}
`, [
    'sysg.yaml:3:30: metrics.retention_minutes: expected a whole number ≥ 0, got "long"',
  ]],
  ['defaults with a command', `version: "1"
services: {}
defaults: {command: sleep 5, stop_timout: 5s}
`, [
    'sysg.yaml:3:12: defaults.command: belongs to a service, not to defaults',
    "sysg.yaml:3:30: defaults.stop_timout: unknown key 'stop_timout', did you mean 'stop_timeout'?",
  ]],
  ['a bad default, said once', `version: "1"
defaults: {stop_timeout: 5x}
services:
  a: {command: sleep 5}
  b: {command: sleep 6}
`, [
    'sysg.yaml:2:26: services.a.stop_timeout: expected a duration such as 500ms, 5s, 2m, 1h or 1d, got "5x"',
  ]],
  ['several things at once', `version: "1"
services:
  web:
    command: sleep 5
    max_restarts: many
    stop_timout: 5s
    depends_on: [db]
  db:
    restart_policy: sometimes
`, [
    'sysg.yaml:5:19: services.web.max_restarts: expected a whole number ≥ 0, got "many"',
    "sysg.yaml:6:5: services.web.stop_timout: unknown key 'stop_timout', did you mean 'stop_timeout'?",
    'sysg.yaml:8:3: services.db: missing field `command` (or `exec`)',
    `sysg.yaml:9:21: services.db.restart_policy: expected 'always', 'on-failure' or 'never', got "sometimes"`,
  ]],
];
