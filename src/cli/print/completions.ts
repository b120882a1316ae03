import { inSingleQuotes } from '../../words.ts';
import { globalOptions, globals, options, spellings, type OptionSpec } from '../options.ts';
import { aliases, verbs, type Verb } from '../verbs.ts';

export const shells = ['bash', 'zsh', 'fish'] as const;

/** A script for a shell: commands and flags are written into it, unit names are asked for when they are wanted. */
export function completionScript(shell: (typeof shells)[number]): string {
  return { bash, zsh, fish }[shell]();
}

/** `chosen` expands to what on the line chooses a supervisor or a file: then other units are meant. */
function unitsCommand(chosen: string): string {
  return `sysg ${chosen} completions --units 2>/dev/null`;
}

const valuedGlobals = globalOptions.filter(({ value }) => value !== undefined).flatMap(spellings);

/** Options with a value that say whose units are meant. */
const choosing = [globals.config, globals.project].flatMap(spellings);

const shown: readonly Verb[] = verbs.filter(({ hidden }) => hidden !== true);

/** What stands in place of a value; `units` beside the words: they too. */
type Wanted = { readonly words: readonly string[]; readonly units?: true } | 'unit' | 'file' | 'anything';

/** Every word that means a command, with what it does. */
const commands: readonly (readonly [word: string, about: string])[] = [
  ...shown.map(({ name, about }) => [name, about] as const), ...Object.entries(aliases).map(([alias, words]) => [alias, `the same as ${words.join(' ')}`] as const),
];
const commandWords = commands.map(([word]) => word);

function wordsFor({ name }: Verb): readonly string[] {
  return [name, ...Object.entries(aliases).flatMap(([alias, [verb]]) => (verb === name ? [alias] : []))];
}

function wantedBy(option: OptionSpec): Wanted {
  if (option.choices !== undefined) return { words: option.choices };
  if (option.name === options.service.name) return 'unit';
  return option.value === 'FILE' ? 'file' : 'anything';
}

function operandsOf(verb: Verb): Wanted {
  if (verb.name === 'completions') return { words: shells };
  if (verb.name === 'signal') return { words: ['HUP', 'INT', 'QUIT', 'TERM', 'KILL', 'USR1', 'USR2', 'STOP', 'CONT'], units: true };
  return verb.operands?.shown.includes('UNIT') === true ? 'unit' : verb.trailing === true ? 'file' : 'anything';
}

/** How a shell is told what stands in place of a value. */
function valueIn(fixed: Readonly<Record<Extract<Wanted, string>, string>>, oneOf: (words: string, withUnits: boolean) => string): (wanted: Wanted) => string {
  return (wanted) => (typeof wanted === 'string' ? fixed[wanted] : oneOf(wanted.words.join(' '), wanted.units === true));
}

function optionsOf(verb: Verb): readonly OptionSpec[] {
  return [...verb.options, ...globalOptions];
}

function bash(): string {
  const value = valueIn({ unit: '_sysg_units; return', file: 'COMPREPLY=($(compgen -f -- "$word")); return', anything: 'return' }, (words, withUnits) => (
    `${withUnits ? '_sysg_units; COMPREPLY+' : 'COMPREPLY'}=($(compgen -W "${words}" -- "$word")); return`));
  const valued = [{ names: [''], optionsHere: globalOptions }, ...shown.map((verb) => ({ names: wordsFor(verb), optionsHere: optionsOf(verb) }))]
    .flatMap(({ names, optionsHere }) => optionsHere.filter((option) => option.value !== undefined).map((option) => ({
      pattern: names.flatMap((name) => spellings(option).map((flag) => `"${name} ${flag}"`)).join('|'), action: value(wantedBy(option)),
    })));
  const actions = [...new Set(valued.map(({ action }) => action))];
  const flags = shown.map((verb) => `    ${wordsFor(verb).join('|')}) flags="${optionsOf(verb).map(({ name }) => `--${name}`).join(' ')} --help" ;;`);
  const operands = shown.filter((verb) => operandsOf(verb) !== 'anything').map((verb) => `    ${wordsFor(verb).join('|')}) ${value(operandsOf(verb))} ;;`);
  return `# bash completion for sysg; load it with:  source <(sysg completions bash)
_sysg_units() {
  local IFS=$'\\n' name chosen=() index given
  for ((index = 1; index < at; index++)); do
    case \${words[index]} in
      --sys) chosen+=(--sys) ;;
      ${choosing.join('|')})
        given=\${words[index+1]}
        [[ $given == = ]] && given=\${words[index+2]}
        given=\${given//[\\"\\'\\\\]/}
        chosen+=("\${words[index]}" "\${given/#~\\//$HOME/}") ;;
    esac
  done
  COMPREPLY=()
  for name in $(compgen -W '$(${unitsCommand('"${chosen[@]}"')})' -- "$word"); do COMPREPLY+=("$(printf '%q' "$name")"); done
}

# Readline breaks names at colons; they are put together again, and of what is found the part before the last colon is left out.
_sysg() {
  local words=() at=-1 index part rest=$COMP_LINE word
  for ((index = 0; index <= COMP_CWORD; index++)); do
    part=\${COMP_WORDS[index]}
    if ((at >= 0)) && [[ $part == :* || \${words[at]} == *: ]] && [[ -n $COMP_LINE && $rest == "$part"* && ( -n $part || -z $rest ) ]]; then
      words[at]+=$part
    else
      words[++at]=$part
    fi
    rest=\${rest#*"$part"}
  done
  word=\${words[at]}
  _sysg_found
  [[ $word == *:* && $COMP_WORDBREAKS == *:* ]] && COMPREPLY=("\${COMPREPLY[@]#"\${word%"\${word##*:}"}"}")
  return 0
}

_sysg_found() {
  local previous=\${words[at-1]} verb= flags= index skip=
  COMPREPLY=()
  # Readline breaks --service=web in three.
  [[ $word == = ]] && word= && previous='='
  [[ $previous == = ]] && previous=\${words[at-1]} && [[ $previous == = ]] && previous=\${words[at-2]}
  for ((index = 1; index < at; index++)); do
    case \${words[index]} in
      ${valuedGlobals.join('|')}) index=$((index + 1)) ;;
      -*) ;;
      *) verb=\${words[index]}; break ;;
    esac
  done
  case "$verb $previous" in
${actions.map((action) => `    ${valued.filter((option) => option.action === action).map(({ pattern }) => pattern).join('|')}) ${action} ;;`).join('\n')}
  esac
  case $verb in
    '') flags="${[...globalOptions.map(({ name }) => `--${name}`), '--help', '--version'].join(' ')}"
      [[ $word == -* ]] || { COMPREPLY=($(compgen -W "${[...commandWords, 'help'].join(' ')}" -- "$word")); return; } ;;
    help) COMPREPLY=($(compgen -W "${commandWords.join(' ')}" -- "$word")); return ;;
${flags.join('\n')}
  esac
  if [[ $word == -* ]]; then
    COMPREPLY=($(compgen -W "$flags" -- "$word"))
    return
  fi
  case $verb in
${operands.join('\n')}
  esac
}
complete -F _sysg sysg
`;
}

function zsh(): string {
  const value = valueIn({ unit: '_sysg_units', file: '_files', anything: '' }, (words, withUnits) => (withUnits ? `{_sysg_units; compadd ${words}}` : `(${words})`));
  const option = (spec: OptionSpec): string => {
    const about = spec.about.replaceAll(/[[\]:]/g, '\\$&');
    const names = spellings(spec);
    const head = names.length === 1 ? `'${names[0]}` : `'(${names.join(' ')})'{${names.map((name) => (name.startsWith('--') && spec.value !== undefined ? `${name}=` : name)).join(',')}}'`;
    const equals = names.length === 1 && spec.value !== undefined ? '=' : '';
    return `${head}${equals}[${inSingleQuotes(about)}]${spec.value === undefined ? '' : `:${spec.value}:${inSingleQuotes(value(wantedBy(spec)))}`}'`;
  };
  const cases = shown.map((verb) => {
    const operands = operandsOf(verb);
    const rest = operands === 'anything' ? [] : [`'*:${verb.operands?.shown ?? 'command'}:${value(operands)}'`];
    return `    ${wordsFor(verb).join('|')}) _arguments -s ${[...optionsOf(verb).map(option), "'(--help -h)'{--help,-h}'[show help]'", ...rest].join(' \\\n      ')} ;;`;
  });
  return `#compdef sysg
# zsh completion for sysg; load it with:  source <(sysg completions zsh)
_sysg_units() {
  local -a names
  names=(\${(f)"$(${unitsCommand('$chosen')})"})
  compadd -- $names
}

_sysg() {
  local curcontext="$curcontext" state line verb
  local -a chosen
  local -i index at=0
  for ((index = 2; index < CURRENT; index++)); do
    case $words[index] in
      --sys) chosen+=(--sys) ;;
      ${choosing.join('|')}) chosen+=($words[index] \${\${(Q)words[index+1]}/#\\~\\//$HOME/}); index+=1 ;;
      ${choosing.filter((flag) => flag.startsWith('--')).map((flag) => `${flag}=*`).join('|')}) chosen+=(\${(Q)words[index]}) ;;
      ${valuedGlobals.filter((flag) => !choosing.includes(flag)).join('|')}) index+=1 ;;
      -*) ;;
      *) ((at)) || at=index ;;
    esac
  done
  if ((at == 0)); then
    _arguments -C ${globalOptions.map(option).join(' ')} '1: :->verb'
    [[ $state == verb ]] || return
    local -a verbs
    verbs=(
${commands.map(([word, about]) => `      '${word}:${inSingleQuotes(about.replaceAll(':', '\\:'))}'`).join('\n')}
      'help:show help'
    )
    _describe -t commands 'sysg command' verbs
    return
  fi
  verb=$words[at]
  words=("\${(@)words[at,-1]}")
  ((CURRENT -= at - 1))
  case $verb in
${cases.join('\n')}
    help) _values command ${commandWords.join(' ')} ;;
  esac
}
if [ "$funcstack[1]" = _sysg ]; then _sysg "$@"; else compdef _sysg sysg; fi
`;
}

function fish(): string {
  const units = `(${unitsCommand('(__sysg_chosen)')})`;
  const value = valueIn({ unit: `-x -a '${units}'`, file: '-r -F', anything: '-x' }, (words, withUnits) => `-x -a '${withUnits ? `${units} ` : ''}${words}'`);
  const option = (spec: OptionSpec, when: string): string => {
    const short = spec.short === undefined ? '' : [spec.short, ...spec.also ?? []].map((letter) => ` -s ${letter}`).join('');
    return `complete -c sysg ${when}-l ${spec.name}${short} -d '${fishQuoted(spec.about)}'${spec.value === undefined ? '' : ` ${value(wantedBy(spec))}`}`;
  };
  const names = [...commandWords, 'help'].join(' ');
  const lines = shown.flatMap((verb) => {
    const when = `-n '__fish_seen_subcommand_from ${wordsFor(verb).join(' ')}' `;
    const operands = operandsOf(verb);
    return [
      ...verb.options.map((spec) => option(spec, when)),
      ...(operands === 'anything' ? [] : [`complete -c sysg ${when}${operands === 'file' ? '-F' : value(operands).replace('-x ', '')}`]),
    ];
  });
  const first = commands.map(([word, about]) => `complete -c sysg -n 'not __fish_seen_subcommand_from ${names}' -a ${word} -d '${fishQuoted(about)}'`);
  return `# fish completion for sysg; load it with:  sysg completions fish | source
function __sysg_chosen
  set -l isValue no
  for word in (commandline -opc)
    if test $isValue = yes
      string replace -r '^~/' "$HOME/" -- $word
      set isValue no
    else if contains -- $word --sys
      echo $word
    else if contains -- $word ${choosing.join(' ')}
      printf '%s\\n' $word
      set isValue yes
    else if string match -qr -- '^(${choosing.filter((flag) => flag.startsWith('--')).join('|')})=' $word
      printf '%s\\n' $word
    end
  end
end
complete -c sysg -f
${globalOptions.map((spec) => option(spec, '')).join('\n')}
complete -c sysg -l help -s h -d 'show help'
complete -c sysg -n 'not __fish_seen_subcommand_from ${names}' -l version -s V -d 'show the version'
complete -c sysg -n '__fish_seen_subcommand_from help' -a '${commandWords.join(' ')}'
${[...first, ...lines].join('\n')}
`;
}

function fishQuoted(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll("'", "\\'");
}
