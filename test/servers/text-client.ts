import pg from 'pg';

interface TestScope {
  after(done: () => Promise<void>): void;
}

/** A client that hands out every value as the server's text, as the replicator's own do; closed when the test ends. */
export async function connectText(test: TestScope, url: string): Promise<pg.Client> {
  const client = new pg.Client({
    connectionString: url,
    types: { getTypeParser: () => (value: string) => value } as pg.CustomTypesConfig,
  });
  // A server that is stopped under a test ends its connections; the test sees that in its queries.
  client.on('error', () => undefined);
  await client.connect();
  test.after(() => client.end().catch(() => undefined));
  return client;
}
