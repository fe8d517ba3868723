/** Logarithms of probabilities from logits, without overflow; in float64. */

/** log Σ exp. */
export function logSum(logits: ArrayLike<number>): number {
  let most = -Infinity;
  for (let i = 0; i < logits.length; i++) most = Math.max(most, logits[i] as number);
  let sum = 0;
  for (let i = 0; i < logits.length; i++) sum += Math.exp((logits[i] as number) - most);
  return most + Math.log(sum);
}

export function logSoftmax(logits: ArrayLike<number>): Float64Array {
  const norm = logSum(logits);
  return Float64Array.from(logits, (logit) => logit - norm);
}
