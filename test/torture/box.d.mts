export function obstacle(): string | null;
