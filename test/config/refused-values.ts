/** Keys with values that cannot be, one to a configuration, and everything that is said about it, without the directory of the file. */
export const refusedValues: readonly (readonly [title: string, yaml: string, problems: readonly string[]])[] = [
  ['logs.via that cannot be: logs: {via: socket}', `version: "1"
services:
  web:
    command: sleep 5
    logs: {via: socket}
`, [
    `sysg.yaml:5:17: services.web.logs.via: expected 'pipe' or 'file', got "socket"`,
  ]],
  ['logs.rotate.size that cannot be: logs: {rotate: {size: 10Q}}', `version: "1"
services:
  web:
    command: sleep 5
    logs: {rotate: {size: 10Q}}
`, [
    'sysg.yaml:5:27: services.web.logs.rotate.size: expected a size such as 512M, 1G or a number of bytes, got "10Q"',
  ]],
  ['logs.rotate.keep that cannot be: logs: {rotate: {keep: -1}}', `version: "1"
services:
  web:
    command: sleep 5
    logs: {rotate: {keep: -1}}
`, [
    'sysg.yaml:5:27: services.web.logs.rotate.keep: expected a whole number from 0 to 10000, got -1',
  ]],
  ['logs.rotate.compres that cannot be: logs: {rotate: {compres: true}}', `version: "1"
services:
  web:
    command: sleep 5
    logs: {rotate: {compres: true}}
`, [
    "sysg.yaml:5:21: services.web.logs.rotate.compres: unknown key 'compres', did you mean 'compress'?",
  ]],
  ['logs that cannot be: logs: file', `version: "1"
services:
  web:
    command: sleep 5
    logs: file
`, [
    'sysg.yaml:5:11: services.web.logs: expected a map of log keys, got "file"',
  ]],
  ['logs.logger that cannot be: logs: {logger: [cat]}', `version: "1"
services:
  web:
    command: sleep 5
    logs: {logger: [cat]}
`, [
    'sysg.yaml:5:20: services.web.logs.logger: expected a command, got a list',
  ]],
  ['cron that cannot be: cron: "* * *"', `version: "1"
services:
  web:
    command: sleep 5
    cron: "* * *"
`, [
    "sysg.yaml:5:11: services.web.cron: Invalid cron expression '* * *': expected 5, 6 or 7 fields, got 3",
  ]],
  ['cron that cannot be: cron: "0 25 * * *"', `version: "1"
services:
  web:
    command: sleep 5
    cron: "0 25 * * *"
`, [
    `sysg.yaml:5:11: services.web.cron: Invalid cron expression '0 25 * * *': hour: expected 0-23, got "25"`,
  ]],
  ['cron.timezone that cannot be: cron: {expression: "0 2 * * *", timezone: Europe/Berln}', `version: "1"
services:
  web:
    command: sleep 5
    cron: {expression: "0 2 * * *", timezone: Europe/Berln}
`, [
    "sysg.yaml:5:47: services.web.cron.timezone: Invalid timezone 'Europe/Berln': expected 'local', 'UTC' or an IANA name such as 'Europe/Paris'",
  ]],
  ['cron.overlap that cannot be: cron: {expression: "0 2 * * *", overlap: skp}', `version: "1"
services:
  web:
    command: sleep 5
    cron: {expression: "0 2 * * *", overlap: skp}
`, [
    `sysg.yaml:5:46: services.web.cron.overlap: expected 'skip', 'queue' or 'replace', got "skp", did you mean 'skip'?`,
  ]],
  ['cron that cannot be: cron: "@dayly"', `version: "1"
services:
  web:
    command: sleep 5
    cron: "@dayly"
`, [
    `sysg.yaml:5:11: services.web.cron: Invalid cron expression '@dayly': expected one of @yearly, @annually, @monthly, @weekly, @daily, @midnight, @hourly, got "@dayly"`,
  ]],
  ['cron.catch_up that cannot be: cron: {expression: "0 2 * * *", catch_up: all}', `version: "1"
services:
  web:
    command: sleep 5
    cron: {expression: "0 2 * * *", catch_up: all}
`, [
    `sysg.yaml:5:47: services.web.cron.catch_up: expected 'none' or 'last', got "all"`,
  ]],
  ['health_check.tcp that cannot be: health_check: {tcp: "host"}', `version: "1"
services:
  web:
    command: sleep 5
    health_check: {tcp: "host"}
`, [
    'sysg.yaml:5:25: services.web.health_check.tcp: expected an address such as 127.0.0.1:8080, localhost:8080 or [::1]:8080, got "host"',
  ]],
  ['health_check.tcp that cannot be: health_check: {tcp: "localhost:99999"}', `version: "1"
services:
  web:
    command: sleep 5
    health_check: {tcp: "localhost:99999"}
`, [
    'sysg.yaml:5:25: services.web.health_check.tcp: expected an address such as 127.0.0.1:8080, localhost:8080 or [::1]:8080, got "localhost:99999"',
  ]],
  ['health_check.tcp that cannot be: health_check: {tcp: "localhost:0"}', `version: "1"
services:
  web:
    command: sleep 5
    health_check: {tcp: "localhost:0"}
`, [
    'sysg.yaml:5:25: services.web.health_check.tcp: expected an address such as 127.0.0.1:8080, localhost:8080 or [::1]:8080, got "localhost:0"',
  ]],
  ['health_check.url that cannot be: health_check: {url: "ftp://x"}', `version: "1"
services:
  web:
    command: sleep 5
    health_check: {url: "ftp://x"}
`, [
    'sysg.yaml:5:25: services.web.health_check.url: expected an http or https URL, got "ftp://x"',
  ]],
  ['health_check.url that cannot be: health_check: {url: notaurl}', `version: "1"
services:
  web:
    command: sleep 5
    health_check: {url: notaurl}
`, [
    'sysg.yaml:5:25: services.web.health_check.url: expected an http or https URL, got "notaurl"',
  ]],
  ['health_check.log that cannot be: health_check: {log: "("}', `version: "1"
services:
  web:
    command: sleep 5
    health_check: {log: "("}
`, [
    'sysg.yaml:5:25: services.web.health_check.log: expected a regular expression, got "(" (/(/: Unterminated group)',
  ]],
  ['health_check.expect_status that cannot be: health_check: {url: "http://x", expect_status: 99}', `version: "1"
services:
  web:
    command: sleep 5
    health_check: {url: "http://x", expect_status: 99}
`, [
    'sysg.yaml:5:52: services.web.health_check.expect_status: expected a whole number from 100 to 599, got 99',
  ]],
  ['health_check.interval that cannot be: health_check: {command: "true", interval: 0s}', `version: "1"
services:
  web:
    command: sleep 5
    health_check: {command: "true", interval: 0s}
`, [
    'sysg.yaml:5:47: services.web.health_check.interval: expected a duration longer than 0s, got "0s"',
  ]],
  ['health_check.tcp that cannot be: health_check: {command: "true", url: "http://x", tcp: "a:1"}', `version: "1"
services:
  web:
    command: sleep 5
    health_check: {command: "true", url: "http://x", tcp: "a:1"}
`, [
    "sysg.yaml:5:59: services.web.health_check.tcp: 'command' and 'tcp' exclude each other",
  ]],
  ['health_check.on_unhealthy that cannot be: health_check: {command: "true", on_unhealthy: kill}', `version: "1"
services:
  web:
    command: sleep 5
    health_check: {command: "true", on_unhealthy: kill}
`, [
    `sysg.yaml:5:51: services.web.health_check.on_unhealthy: expected 'restart' or 'none', got "kill"`,
  ]],
  ['deployment.strategy that cannot be: deployment: {strategy: rollng}', `version: "1"
services:
  web:
    command: sleep 5
    deployment: {strategy: rollng}
`, [
    `sysg.yaml:5:28: services.web.deployment.strategy: expected 'immediate' or 'rolling', got "rollng", did you mean 'rolling'?`,
  ]],
  ['deployment.blue_green.slots that cannot be: deployment: {strategy: rolling, blue_green: {slots: [a, a], switch_command: x}}', `version: "1"
services:
  web:
    command: sleep 5
    deployment: {strategy: rolling, blue_green: {slots: [a, a], switch_command: x}}
`, [
    'sysg.yaml:5:57: services.web.deployment.blue_green.slots: expected two different slots, got "a" twice',
  ]],
  ['deployment.on_address_in_use that cannot be: deployment: {on_address_in_use: x}', `version: "1"
services:
  web:
    command: sleep 5
    deployment: {on_address_in_use: x}
`, [
    `sysg.yaml:5:37: services.web.deployment.on_address_in_use: expected 'replace' or 'fail', got "x"`,
  ]],
  ['deployment.grace_period that cannot be: deployment: {grace_period: soon}', `version: "1"
services:
  web:
    command: sleep 5
    deployment: {grace_period: soon}
`, [
    'sysg.yaml:5:32: services.web.deployment.grace_period: expected a duration such as 500ms, 5s, 2m, 1h or 1d, got "soon"',
  ]],
  ['limits.cpu_affinity.0 that cannot be: limits: {cpu_affinity: [9999]}', `version: "1"
services:
  web:
    command: sleep 5
    limits: {cpu_affinity: [9999]}
`, [
    'sysg.yaml:5:29: services.web.limits.cpu_affinity.0: expected a whole number from 0 to 1023, got 9999',
  ]],
  ['limits.cpu_affinity that cannot be: limits: {cpu_affinity: 1}', `version: "1"
services:
  web:
    command: sleep 5
    limits: {cpu_affinity: 1}
`, [
    'sysg.yaml:5:28: services.web.limits.cpu_affinity: expected a list of CPU numbers, got 1; write [1]',
  ]],
  ['limits.cgroup.memory_max that cannot be: limits: {cgroup: {memory_max: lots}}', `version: "1"
services:
  web:
    command: sleep 5
    limits: {cgroup: {memory_max: lots}}
`, [
    `sysg.yaml:5:35: services.web.limits.cgroup.memory_max: expected 'max' or a size such as 512M, got "lots"`,
  ]],
  ['limits.nofiles that cannot be: limits: {nofiles: 3}', `version: "1"
services:
  web:
    command: sleep 5
    limits: {nofiles: 3}
`, [
    "sysg.yaml:5:14: services.web.limits.nofiles: unknown key 'nofiles', did you mean 'nofile'?",
  ]],
  ['capabilities.0 that cannot be: capabilities: [net_admin]', `version: "1"
services:
  web:
    command: sleep 5
    capabilities: [net_admin]
`, [
    'sysg.yaml:5:20: services.web.capabilities.0: expected a capability such as CAP_NET_BIND_SERVICE, got "net_admin"',
  ]],
  ['capabilities.0 that cannot be: capabilities: [CAP_FOO]', `version: "1"
services:
  web:
    command: sleep 5
    capabilities: [CAP_FOO]
`, [
    'sysg.yaml:5:20: services.web.capabilities.0: expected a capability such as CAP_NET_BIND_SERVICE, got "CAP_FOO"',
  ]],
  ['isolation.network that cannot be: isolation: {network: 1}', `version: "1"
services:
  web:
    command: sleep 5
    isolation: {network: 1}
`, [
    'sysg.yaml:5:26: services.web.isolation.network: expected true or false, got 1',
  ]],
  ['hooks.on_start.succes that cannot be: hooks: {on_start: {succes: {command: x}}}', `version: "1"
services:
  web:
    command: sleep 5
    hooks: {on_start: {succes: {command: x}}}
`, [
    "sysg.yaml:5:24: services.web.hooks.on_start.succes: unknown key 'succes', did you mean 'success'?",
  ]],
  ['hooks.on_start.success.timeout that cannot be: hooks: {on_start: {success: {command: x, timeout: 0}}}', `version: "1"
services:
  web:
    command: sleep 5
    hooks: {on_start: {success: {command: x, timeout: 0}}}
`, [
    'sysg.yaml:5:55: services.web.hooks.on_start.success.timeout: expected a duration longer than 0s, got 0',
  ]],
  ['skip that cannot be: skip: [a]', `version: "1"
services:
  web:
    command: sleep 5
    skip: [a]
`, [
    'sysg.yaml:5:11: services.web.skip: expected a command, got a list',
  ]],
  ['skip that cannot be: skip: 0', `version: "1"
services:
  web:
    command: sleep 5
    skip: 0
`, [
    'sysg.yaml:5:11: services.web.skip: expected true, false or a command, got 0',
  ]],
  ['skip that cannot be: skip: ""', `version: "1"
services:
  web:
    command: sleep 5
    skip: ""
`, [
    'sysg.yaml:5:11: services.web.skip: expected a command, got ""',
  ]],
  ['restart_policy that cannot be: restart_policy: Always', `version: "1"
services:
  web:
    command: sleep 5
    restart_policy: Always
`, [
    `sysg.yaml:5:21: services.web.restart_policy: expected 'always', 'on-failure' or 'never', got "Always", did you mean 'always'?`,
  ]],
  ['restart_policy that cannot be: restart_policy: true', `version: "1"
services:
  web:
    command: sleep 5
    restart_policy: true
`, [
    "sysg.yaml:5:21: services.web.restart_policy: expected 'always', 'on-failure' or 'never', got true",
  ]],
  ['stop_signal that cannot be: stop_signal: 99', `version: "1"
services:
  web:
    command: sleep 5
    stop_signal: 99
`, [
    'sysg.yaml:5:18: services.web.stop_signal: expected a signal name such as SIGTERM, got 99',
  ]],
  ['stop_signal that cannot be: stop_signal: 15', `version: "1"
services:
  web:
    command: sleep 5
    stop_signal: 15
`, [
    'sysg.yaml:5:18: services.web.stop_signal: expected a signal name such as SIGTERM, got 15',
  ]],
  ['env.file that cannot be: env: {file: [a, b]}', `version: "1"
services:
  web:
    command: sleep 5
    env: {file: [a, b]}
`, [
    'sysg.yaml:5:17: services.web.env.file: expected a string, got a list',
  ]],
  ['env.vars that cannot be: env: {vars: [a]}', `version: "1"
services:
  web:
    command: sleep 5
    env: {vars: [a]}
`, [
    'sysg.yaml:5:17: services.web.env.vars: expected a map of variables, got a list',
  ]],
  ['env.vars.A that cannot be: env: {vars: {A: {b: c}}}', `version: "1"
services:
  web:
    command: sleep 5
    env: {vars: {A: {b: c}}}
`, [
    "sysg.yaml:5:21: services.web.env.vars.A: expected a string, got a map; a text that begins with '{' or has ': ' in it needs quotes",
  ]],
  ['working_dir that cannot be: working_dir: ""', `version: "1"
services:
  web:
    command: sleep 5
    working_dir: ""
`, [
    'sysg.yaml:5:18: services.web.working_dir: expected a directory, got ""',
  ]],
  ['backoff.inital that cannot be: backoff: {inital: 1s}', `version: "1"
services:
  web:
    command: sleep 5
    backoff: {inital: 1s}
`, [
    "sysg.yaml:5:15: services.web.backoff.inital: unknown key 'inital', did you mean 'initial'?",
  ]],
  ['backoff that cannot be: backoff: fast', `version: "1"
services:
  web:
    command: sleep 5
    backoff: fast
`, [
    'sysg.yaml:5:14: services.web.backoff: expected a duration such as 500ms, 5s, 2m, 1h or 1d, got "fast"',
  ]],
  ['name that cannot be: name: web', `version: "1"
services:
  web:
    command: sleep 5
    name: web
`, [
    "sysg.yaml:5:5: services.web.name: unknown key 'name'",
  ]],
  ['depends_on.0.service that cannot be: depends_on: [{service: web2}]', `version: "1"
services:
  web:
    command: sleep 5
    depends_on: [{service: web2}]
`, [
    "sysg.yaml:5:28: services.web.depends_on.0.service: Service 'web' declares unknown dependency 'web2'",
  ]],
  ['depends_on.0.service that cannot be: depends_on: [{service: ""}]', `version: "1"
services:
  web:
    command: sleep 5
    depends_on: [{service: ""}]
`, [
    'sysg.yaml:5:28: services.web.depends_on.0.service: expected the name of a service, got ""',
  ]],
  ['depends_on.0 that cannot be: depends_on: [3]', `version: "1"
services:
  web:
    command: sleep 5
    depends_on: [3]
`, [
    "sysg.yaml:5:18: services.web.depends_on.0: Service 'web' declares unknown dependency '3'",
  ]],
  ['max_restarts that cannot be: max_restarts: 1e3', `version: "1"
services:
  web:
    command: sleep 5
    max_restarts: 1e3
`, [
    'sysg.yaml:5:19: services.web.max_restarts: expected a whole number ≥ 0, got 1e3',
  ]],
  ['max_restarts that cannot be: max_restarts: .inf', `version: "1"
services:
  web:
    command: sleep 5
    max_restarts: .inf
`, [
    'sysg.yaml:5:19: services.web.max_restarts: expected a whole number from 0 to 4294967295, got .inf',
  ]],
  ['metrics.sample_interval_secs that cannot be: metrics: {sample_interval_secs: 1s}', `version: "1"
services: {web: {command: x}}
metrics: {sample_interval_secs: 1s}
`, [
    'sysg.yaml:3:33: metrics.sample_interval_secs: expected a whole number ≥ 0, got "1s"',
  ]],
  ['metrics that cannot be: metrics: true', `version: "1"
services: {web: {command: x}}
metrics: true
`, [
    'sysg.yaml:3:10: metrics: expected a map of metrics keys, got true',
  ]],
  ['depends_on.0 that cannot be: services: {web: {command: x}}', `version: "1"
defaults: {depends_on: [web]}
services: {web: {command: x}}
`, [
    'sysg.yaml:2:25: services.web.depends_on.0: Detected dependency cycle: web -> web',
  ]],
  ['Version that cannot be: Services: {web: {command: x}}', `Version: "1"
Services: {web: {command: x}}
`, [
    "sysg.yaml:1:1: Version: unknown key 'Version', did you mean 'version'?",
    'sysg.yaml:1:1: missing field `version`',
    'sysg.yaml:1:1: missing field `services`',
    "sysg.yaml:2:1: Services: unknown key 'Services', did you mean 'services'?",
  ]],
  ['restart_policy that cannot be: {"version":"1","services":{"web":{"command":"x","restart_policy":"alway"}}}', `{"version":"1","services":{"web":{"command":"x","restart_policy":"alway"}}}`, [
    `sysg.yaml:1:66: services.web.restart_policy: expected 'always', 'on-failure' or 'never', got "alway", did you mean 'always'?`,
  ]],
  [' that cannot be: b: {command: y}', `version: "1"
services:
  a: {command: "x"
  b: {command: y}
`, [
    'sysg.yaml:4:3: Flow map in block collection must be sufficiently indented and end with a }',
  ]],
  ['services.b that cannot be: b: {<<: *a}', `version: "1"
services:
  a: &a {comand: x}
  b: {<<: *a}
`, [
    'sysg.yaml:3:3: services.a: missing field `command` (or `exec`)',
    "sysg.yaml:3:10: services.a.comand: unknown key 'comand', did you mean 'command'?",
    'sysg.yaml:4:3: services.b: missing field `command` (or `exec`)',
  ]],
];
