/** Loads prom-client, an optional peer that clients do not need. @throws Error that says how to install it */
export async function loadPromClient<T>(variable: string, load: () => Promise<T>): Promise<T> {
  try {
    return await load();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_MODULE_NOT_FOUND') throw error;
    throw new Error(`${variable} needs prom-client, which is not installed: npm install prom-client@15`);
  }
}
