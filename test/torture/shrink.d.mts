export function shrink<Action>(script: readonly Action[], fails: (script: readonly Action[]) => Promise<boolean>, limitMs: number): Promise<readonly Action[]>;
