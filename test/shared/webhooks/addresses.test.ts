/** Webhooks go to the public internet: every way of writing an address of another kind is refused. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { isPublic, urlFault } from "../../../shared/webhooks/addresses.ts";

const strict = { local: false };

test("addresses of the public internet are permitted", () => {
  for (const address of ["1.1.1.1", "93.184.216.34", "8.8.8.8", "172.32.0.1", "2606:4700:4700::1111", "2a00:1450::1"]) {
    assert.equal(isPublic(address), true, address);
  }
});

test("all others are not", () => {
  const others = {
    loopback: ["127.0.0.1", "127.255.255.254", "::1", "0:0:0:0:0:0:0:1"],
    private: ["10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1", "fc00::1", "fd12:3456::1"],
    "link-local and metadata": ["169.254.169.254", "169.254.170.2", "fe80::1", "fd00:ec2::254", "168.63.129.16"],
    "carrier-grade": ["100.64.0.1", "100.100.100.200"],
    multicast: ["224.0.0.1", "239.255.255.255", "ff02::1"],
    unspecified: ["0.0.0.0", "0.1.2.3", "::"],
    "broadcast, reserved, documentation": ["255.255.255.255", "240.0.0.1", "192.0.2.1", "198.51.100.1", "203.0.113.1"],
    benchmarking: ["198.18.0.1", "198.19.255.255", "2001:2::1"],
    "protocol assignments": ["192.0.0.1", "192.0.0.192"],
    "mapped and compatible": ["::ffff:8.8.8.8", "::ffff:127.0.0.1", "::ffff:7f00:1", "::8.8.8.8", "::7f00:1"],
    "translated and tunnelled": ["64:ff9b::8.8.8.8", "64:ff9b::7f00:1", "64:ff9b:1::1", "2002:7f00:1::1", "2001::1"],
    "site-local, documentation, discard": ["fec0::1", "2001:db8::1", "100::1"],
    "no address": ["", "localhost", "example.com", "127.0.0.1.example.com"],
  };
  for (const [kind, addresses] of Object.entries(others)) {
    for (const address of addresses) assert.equal(isPublic(address), false, `${kind}: ${address}`);
  }
});

test("a URL may not spell such an address in any form", () => {
  const hosts = ["127.0.0.1", "2130706433", "0x7f000001", "0x7f.1", "0177.0.0.1", "017700000001", "127.1", "0"];
  hosts.push("10.1", "3232235777", "0xa9fea9fe", "169.254.169.254", "①②⑦.⓪.⓪.①", "127.0.0.1.");
  hosts.push(
    "[::1]",
    "[::ffff:127.0.0.1]",
    "[::ffff:a9fe:a9fe]",
    "[64:ff9b::a9fe:a9fe]",
    "[fe80::1]",
    "[fd00:ec2::254]",
  );
  for (const host of hosts) assert.match(urlFault(`https://${host}/`, strict) ?? "", /public internet/, host);
});

test("a URL is https, on a usual port, without credentials", () => {
  assert.equal(urlFault("https://example.com/hooks?a=b", strict), undefined);
  assert.equal(urlFault("https://example.com:8443/", strict), undefined);
  assert.equal(urlFault("https://93.184.216.34/", strict), undefined);
  const faults: Record<string, RegExp> = {
    "http://example.com/": /https/,
    "ftp://example.com/": /https/,
    "file:///etc/passwd": /https/,
    "gopher://example.com/": /https/,
    "https://user@example.com/": /credentials/,
    "https://user:word@example.com/": /credentials/,
    "https://:word@example.com/": /credentials/,
    "https://example.com:22/": /ports/,
    "https://example.com:6379/": /ports/,
    "https://": /no URL/,
    "example.com": /no URL/,
  };
  for (const [url, fault] of Object.entries(faults)) assert.match(urlFault(url, strict) ?? "", fault, url);
});

test("the operator's switch opens plain HTTP, any port and any address, but no credentials", () => {
  for (const url of ["http://127.0.0.1:3000/", "http://localhost:80/", "https://10.0.0.1/"]) {
    assert.equal(urlFault(url, { local: true }), undefined, url);
  }
  assert.match(urlFault("http://a:b@localhost/", { local: true }) ?? "", /credentials/);
  assert.match(urlFault("file:///etc/passwd", { local: true }) ?? "", /https/);
});
