// One line for each check, as `cargo xtask clients` reads them: `ok NAME`, `FAILED NAME: why`, `skipped NAME: why`.

/** What is checked: where Vexilla is, where Flagr is if there is one, and what begins the key of each flag. */
export const vexilla = process.env.VEXILLA_URL;
export const flagr = process.env.FLAGR_URL;
export const key = (name) => process.env.KEY_PREFIX + name;

const LIMIT = 20_000;

/** Runs a check to its end, or up to a limit, and says how it came out. */
export async function check(name, body) {
  let timer;
  const tooLong = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${LIMIT} ms`)), LIMIT);
  });
  try {
    await Promise.race([body(), tooLong]);
    console.log(`ok ${name}`);
  } catch (error) {
    console.log(`FAILED ${name}: ${String(error?.message ?? error).replaceAll(/\s+/g, " ")}`);
  } finally {
    clearTimeout(timer);
  }
}
