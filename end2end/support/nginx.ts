// A reverse proxy in front of a server, as a university runs it: Debian's nginx with the configuration of README.md.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from '@playwright/test';
import { send } from './http.ts';
import { START_LIMIT_MS } from './limits.ts';
import { freePort } from './program.ts';

export class Nginx {
  private constructor(
    readonly url: string,
    private readonly folder: string,
    private readonly process: ChildProcess,
  ) {}

  /** Starts nginx on a port, in front of the port of a server. */
  static async start(port: number, upstream: number): Promise<Nginx> {
    const folder = mkdtempSync(join(tmpdir(), 'cloud-delivery-nginx-'));
    const file = join(folder, 'nginx.conf');
    writeFileSync(file, configuration(folder, port, upstream));
    const child = spawn('/usr/sbin/nginx', ['-c', file, '-p', folder, '-g', 'daemon off;'], { stdio: 'pipe' });
    let log = '';
    child.stderr?.setEncoding('utf8').on('data', (text: string) => (log += text));
    const nginx = new Nginx(`http://127.0.0.1:${port}`, folder, child);
    const answers = () => send(nginx.url, 'GET', '/healthz').then(({ status }) => status, () => 0);
    try {
      await expect.poll(answers, { timeout: START_LIMIT_MS }).toBe(200);
    } catch {
      throw new Error(`nginx did not start: ${log}`);
    }
    return nginx;
  }

  static freePort(): Promise<number> {
    return freePort();
  }

  async stop(): Promise<void> {
    if (this.process.exitCode === null) {
      this.process.kill('SIGQUIT');
      await once(this.process, 'close');
    }
    rmSync(this.folder, { recursive: true, force: true });
  }
}

function configuration(folder: string, port: number, upstream: number): string {
  return `
worker_processes 1;
pid ${folder}/nginx.pid;
error_log stderr;
events { worker_connections 1024; }
http {
  access_log off;
  client_body_temp_path ${folder}/body;
  proxy_temp_path ${folder}/proxy;
  fastcgi_temp_path ${folder}/fastcgi;
  uwsgi_temp_path ${folder}/uwsgi;
  scgi_temp_path ${folder}/scgi;
  server {
    listen 127.0.0.1:${port};
    location / {
      proxy_pass http://127.0.0.1:${upstream};
      proxy_http_version 1.1;
      proxy_set_header Host $http_host;
      proxy_set_header Upgrade $http_upgrade;
      proxy_set_header Connection $http_connection;
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
      proxy_set_header X-Forwarded-Proto $scheme;
      proxy_buffering off;
    }
  }
}
`;
}
