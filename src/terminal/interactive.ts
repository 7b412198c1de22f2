/** True when somebody sits at both ends: a terminal that can draw, and no automation. */
export function isInteractive({
  stdin,
  stdout,
  env,
}: {
  readonly stdin: { readonly isTTY?: boolean };
  readonly stdout: { readonly isTTY?: boolean };
  readonly env: NodeJS.ProcessEnv;
}): boolean {
  const automated = env.CI !== undefined && !/^(|0|false)$/.test(env.CI);
  return stdin.isTTY === true && stdout.isTTY === true && env.TERM !== 'dumb' && !automated;
}
