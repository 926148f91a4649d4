// WeCom's own @wecom/crypto and our callback crypto read each other's messages. WECOM_CALLBACK_CRYPTO names our
// side: a program that answers one JSON line with one JSON line.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { createHash, randomInt } from "node:crypto";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { after, before, describe, test } from "node:test";
import { decrypt, encrypt, getSignature } from "@wecom/crypto";
import { soon } from "./simulator.mjs";

const program = process.env.WECOM_CALLBACK_CRYPTO;
const LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
const WORDS = ["a", "<", "&", "]]>", " ", "\n", "企业微信", "张三", "😀", "\u{2028}", "é"];
const common = { token: "QDG6eK", receiveId: "ww5ca1ab1e5ca1ab1e", timestamp: "1409659813", nonce: "1372623149" };

const pick = (list) => list[randomInt(list.length)];
const someKey = () => Array.from({ length: 43 }, () => pick(LETTERS)).join("");
const someText = (pieces) => Array.from({ length: pieces }, () => pick(WORDS)).join("");

const skip = program ? false : "WECOM_CALLBACK_CRYPTO names no program";
describe("callback crypto", { skip, timeout: 60_000 }, () => {
  let child, answers;

  before(() => {
    child = spawn(program, { stdio: ["pipe", "pipe", "inherit"] });
    answers = createInterface(child.stdout)[Symbol.asyncIterator]();
  });
  after(async () => {
    child.stdin.end();
    await once(child, "exit", soon());
  });

  async function ask(question) {
    child.stdin.write(`${JSON.stringify({ ...common, ...question })}\n`);
    const { value, done } = await answers.next();
    assert.ok(!done, "our side ended");
    return JSON.parse(value);
  }

  const signature = (sealed) => getSignature(common.token, common.timestamp, common.nonce, sealed);

  test("it reads ours, whatever the padding", async () => {
    const paddings = new Set();
    for (let bytes = 0; bytes < 64; bytes++) {
      const [aesKey, message] = [someKey(), "x".repeat(bytes)];
      const ours = await ask({ op: "encrypt", aesKey, message });
      const { message: read, id } = decrypt(aesKey, ours.encrypt);
      assert.deepEqual({ read, id, signature: ours.signature },
        { read: message, id: common.receiveId, signature: signature(ours.encrypt) });
      const plain = 16 + 4 + bytes + common.receiveId.length;
      paddings.add(Buffer.from(ours.encrypt, "base64").length - plain);
    }
    assert.deepEqual([...paddings].sort((a, b) => a - b), Array.from({ length: 32 }, (_, i) => i + 1));
  });

  test("both directions, many texts and keys", async () => {
    const lastLetters = new Set();
    for (let round = 0; round < 200; round++) {
      const [aesKey, message] = [someKey(), someText(randomInt(200))];
      // Of a key's last letter four bits count; most keys carry more.
      lastLetters.add(Buffer.from(`${aesKey}=`, "base64").toString("base64").slice(0, 43) !== aesKey);
      const ours = await ask({ op: "encrypt", aesKey, message });
      assert.equal(decrypt(aesKey, ours.encrypt).message, message);
      const sealed = encrypt(aesKey, message, common.receiveId);
      const read = await ask({ op: "decrypt", aesKey, encrypt: sealed, signature: signature(sealed) });
      assert.deepEqual(read, { message });
    }
    assert.ok(lastLetters.has(true), "no key with non-zero trailing bits came up");
  });

  test("what is not for us is refused", async () => {
    const aesKey = someKey();
    const sealed = encrypt(aesKey, "hello", common.receiveId);
    const elsewhere = encrypt(aesKey, "hello", "ww0000000000000000");
    const cut = sealed.slice(0, -24);
    for (const question of [
      { encrypt: sealed, signature: createHash("sha1").update("else").digest("hex") },
      { encrypt: sealed, signature: "" },
      { encrypt: elsewhere, signature: signature(elsewhere) },
      { encrypt: cut, signature: signature(cut) },
      { encrypt: sealed, signature: signature(sealed), aesKey: someKey() },
    ]) {
      const answer = await ask({ op: "decrypt", aesKey, ...question });
      assert.equal(typeof answer.error, "string", JSON.stringify(question));
      assert.equal(answer.message, undefined);
    }
  });
});
