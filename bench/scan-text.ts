import { randomUUID } from "node:crypto";

/**
 * Log text such as a service writes it, some 5 MB: JSON lines, access logs, stack traces, paths, digests, bare UUIDs and
 * base64, with `tokens` tokens in it, evenly spread and in turn plain, in JSON, percent-encoded and in base64.
 */
export function logText(bytes: number, tokens: number): { text: string; values: string[] } {
  const values = Array.from({ length: tokens }, () => `aws80:${randomUUID()}`);
  const lines: string[] = [];
  let size = 0;
  let placed = 0;
  for (let n = 0; size < bytes; n += 1) {
    const time = new Date(1_780_000_000_000 + n * 137).toISOString();
    const id = randomUUID();
    const due = placed < tokens && size >= (bytes / (tokens + 1)) * (placed + 1);
    const line = due ? leak(placed, time, values[placed] as string) : chatter(n, time, id);
    if (due) placed += 1;
    lines.push(line);
    size += line.length + 1;
  }
  return { text: lines.join("\n"), values };
}

function chatter(n: number, time: string, id: string): string {
  const kinds = [
    `{"level":30,"time":"${time}","pid":7,"requestId":"${id}","msg":"request completed","ms":${n % 977},"status":200}`,
    `10.4.${n % 255}.17 - - [${time}] "GET /voice/api/v1/admin/accounts/${n}/dialGroups?page=${n % 9} HTTP/1.1" 200 ${n}`,
    `${time} INFO  [worker-${n % 16}] c.example.dialer.CampaignScheduler: lead ${id} moved from queue 12:34:56 to 12:35:01`,
    `    at com.example.dialer.campaigns.CampaignSchedulerServiceImplementation.schedule(CampaignScheduler.java:${n % 900})`,
    `${time} DEBUG sha256:${id.replaceAll("-", "")}${id.replaceAll("-", "")} layer 02:42:ac:11:00:${n % 90} fe80::1ff:fe23:4567`,
    `${time} INFO  session cookie=${Buffer.from(id + time).toString("base64url")}; path=/; trace_id:${id}`,
  ];
  return kinds[n % kinds.length] as string;
}

function leak(n: number, time: string, value: string): string {
  const kinds = [
    `${time} DEBUG curl -H 'X-Auth-Token: ${value}' https://ringcx.example.com/voice/api/v1/admin/accounts`,
    `{"level":20,"time":"${time}","headers":{"x-auth-token":"${value}"}}`,
    `${time} WARN  DELETE /voice/api/v1/admin/token/${encodeURIComponent(value)} 502`,
    `${time} DEBUG Authorization: Basic ${Buffer.from(`${value}:x`).toString("base64")}`,
  ];
  return kinds[n % kinds.length] as string;
}
