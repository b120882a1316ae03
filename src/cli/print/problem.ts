import { formatProblem, type ConfigProblem } from '../../config/problem.ts';
import displayWidth from '../../width.ts';

/** The problem, the line it is in, and a caret under the place. */
export function explainProblem(problem: ConfigProblem): string {
  const { line, column, excerpt } = problem;
  if (line === 0 || excerpt === '') return formatProblem(problem);
  const skipped = column > 100 ? column - 40 : 0;
  const shown = (from: number, to: number): string => excerpt.slice(from, to).replaceAll(UNSHOWN, '\ufffd');
  const indent = [...shown(skipped, column - 1)].map((character) => (character === '\t' ? character : ' '.repeat(displayWidth(character)))).join('');
  const number = String(line);
  return `${formatProblem(problem)}\n  ${number} | ${shown(skipped, skipped + 120)}\n  ${' '.repeat(number.length)} | ${indent}^`;
}

/** What steers a terminal, and halves of characters that were cut. */
const UNSHOWN = /(?!\t)[\p{Cc}\p{Cf}\p{Cs}\u2028\u2029]/gu;
