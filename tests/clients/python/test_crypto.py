"""wechatpy's callback crypto and our own read each other's messages.

WECOM_CALLBACK_CRYPTO names our side: a program that answers one JSON line with one JSON line.
"""

import json
import os
import random
import string
import subprocess
import unittest

import xmltodict
from simulator import PATIENCE, line
from wechatpy.enterprise.crypto import WeChatCrypto
from wechatpy.exceptions import InvalidSignatureException

TOKEN, CORP, TIMESTAMP, NONCE = "QDG6eK", "ww5ca1ab1e5ca1ab1e", "1409659813", "1372623149"
LETTERS = string.ascii_letters + string.digits


@unittest.skipUnless("WECOM_CALLBACK_CRYPTO" in os.environ, "WECOM_CALLBACK_CRYPTO names no program")
class CallbackCrypto(unittest.TestCase):
    def setUp(self):
        self.program = subprocess.Popen(
            [os.environ["WECOM_CALLBACK_CRYPTO"]], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.addCleanup(self.program.wait, PATIENCE)
        self.addCleanup(self.program.stdout.close)
        self.addCleanup(self.program.stdin.close)
        self.chance = random.Random(1)

    def ask(self, key, **question):
        common = {"token": TOKEN, "aesKey": key, "receiveId": CORP, "timestamp": TIMESTAMP, "nonce": NONCE}
        self.program.stdin.write(json.dumps(common | question) + "\n")
        self.program.stdin.flush()
        return json.loads(line(self.program))

    def messages(self):
        """A key and a text each; the lengths lead to every padding from 1 to 32."""
        for length in range(1, 100):
            key = "".join(self.chance.choice(LETTERS) for _ in range(43))
            yield key, "".join(self.chance.choice("abc<>& 企业微信😀\n") for _ in range(length))

    def test_it_reads_ours(self):
        for key, text in self.messages():
            ours = self.ask(key, op="encrypt", message=text)
            message = {"Encrypt": ours["encrypt"]}
            crypto = WeChatCrypto(TOKEN, key, CORP)
            self.assertEqual(crypto.decrypt_message(message, ours["signature"], TIMESTAMP, NONCE), text)
            with self.assertRaises(InvalidSignatureException):
                crypto.decrypt_message(message, ours["signature"], TIMESTAMP, NONCE + "0")

    def test_we_read_its(self):
        for key, text in self.messages():
            reply = xmltodict.parse(WeChatCrypto(TOKEN, key, CORP).encrypt_message(text, NONCE, TIMESTAMP))["xml"]
            theirs = {"encrypt": reply["Encrypt"], "signature": reply["MsgSignature"]}
            self.assertEqual(self.ask(key, op="decrypt", **theirs), {"message": text})
            wrong = theirs | {"signature": "0" * 40}
            self.assertIn("error", self.ask(key, op="decrypt", **wrong))


if __name__ == "__main__":
    unittest.main()
