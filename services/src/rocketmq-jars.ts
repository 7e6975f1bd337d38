// RocketmqJars: the released RocketMQ, fetched once with Maven into the cache folder.
//
// J1  A folder of jars is complete or absent: it is filled beside its place and renamed.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { findPrograms } from './programs.js';

/** The version that is started here, and by compose.yaml. */
export const ROCKETMQ_VERSION = '5.5.0';

const MODULES = ['rocketmq-namesrv', 'rocketmq-proxy', 'rocketmq-tools'];
const LAST_WORDS = 2_000;

/** The folder for what is fetched once: `CARILLON_CACHE`, or `carillon` in the user's cache folder. */
function cacheFolder(): string {
  const own = process.env['CARILLON_CACHE'];
  if (own) return own;
  const mac = process.platform === 'darwin' ? join(homedir(), 'Library', 'Caches') : undefined;
  return join(process.env['XDG_CACHE_HOME'] || mac || join(homedir(), '.cache'), 'carillon');
}

/** Where RocketMQ's jars are, once they were fetched. */
export function jarsFolder(): string {
  return join(cacheFolder(), `rocketmq-${ROCKETMQ_VERSION}`);
}

/** The folder with RocketMQ's jars; fetches them if this is the first time (some 100 MB). */
export async function rocketmqJars(options: {
  readonly install?: boolean | undefined;
  readonly progress?: ((line: string) => void) | undefined;
}): Promise<string> {
  const folder = jarsFolder();
  if (existsSync(folder)) return folder;
  const { mvn } = findPrograms(['java', 'mvn'], options);
  options.progress?.(`fetching RocketMQ ${ROCKETMQ_VERSION} with Maven into ${folder} (100 MB, once)`);
  mkdirSync(cacheFolder(), { recursive: true });
  const beside = mkdtempSync(`${folder}-`);
  try {
    writeFileSync(join(beside, 'pom.xml'), pom());
    await run(mvn, ['-q', '-B', 'dependency:copy-dependencies', '-DoutputDirectory=lib'], beside);
    if (!existsSync(folder)) renameSync(join(beside, 'lib'), folder); // J1
  } finally {
    rmSync(beside, { recursive: true, force: true });
  }
  return folder;
}

async function run(mvn: string, args: readonly string[], cwd: string): Promise<void> {
  const child = spawn(mvn, args, { cwd, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  const keep = (chunk: Buffer) => (output = (output + chunk.toString()).slice(-LAST_WORDS));
  child.stdout.on('data', keep);
  child.stderr.on('data', keep);
  const [code] = (await once(child, 'close')) as [number | null];
  if (code === 0) return;
  throw new Error(
    `Maven could not fetch RocketMQ ${ROCKETMQ_VERSION}. Check the network and Maven's settings (mirrors, proxy), or ` +
      `use a broker of your own with ROCKETMQ_ENDPOINT. Maven's last words:\n${output}`,
  );
}

function pom(): string {
  const dependencies = MODULES.map(
    (name) =>
      `<dependency><groupId>org.apache.rocketmq</groupId><artifactId>${name}</artifactId>` +
      `<version>${ROCKETMQ_VERSION}</version></dependency>`,
  );
  return (
    '<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>' +
    '<groupId>carillon</groupId><artifactId>rocketmq</artifactId><version>1</version><packaging>pom</packaging>' +
    `<dependencies>${dependencies.join('')}</dependencies></project>\n`
  );
}
