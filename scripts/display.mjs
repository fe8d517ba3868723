// Where GL without a window finds an X display.

/**
 * The words that start a program on a display: on one that is made for it where there is none.
 * @param {readonly string[]} words a program and its arguments
 * @returns {string[]}
 */
export function onDisplay(words) {
  const lacking = process.platform === "linux" && !process.env.DISPLAY;
  return lacking ? ["xvfb-run", "-a", ...words] : [...words];
}
