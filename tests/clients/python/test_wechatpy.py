"""wechatpy, a client that knows nothing of this project, signs in and reads contacts at the simulator.

Only the host is changed, below the client (an adapter of its HTTP session). Run: python3 -m unittest
"""

import contextlib
import unittest
import warnings

from simulator import PATIENCE, WECOM, Simulator, ToSimulator
from wechatpy.enterprise import WeChatClient
from wechatpy.exceptions import WeChatClientException

warnings.simplefilter("ignore", DeprecationWarning)


class WithSimulator(unittest.TestCase):
    def setUp(self):
        self.simulator = Simulator()
        self.addCleanup(self.simulator.stop)
        self.client = self.client_with(self.simulator.secret)

    def client_with(self, secret):
        client = WeChatClient(self.simulator.corpid, secret, timeout=PATIENCE)
        client._http.mount(WECOM, ToSimulator(self.simulator))
        self.addCleanup(client._http.close)
        return client

    @contextlib.contextmanager
    def refused(self, errcode):
        with self.assertRaises(WeChatClientException) as caught:
            yield
        self.assertEqual(caught.exception.errcode, errcode)


class SignIn(WithSimulator):
    def test_its_own_link_signs_a_member_in(self):
        self.simulator.control("POST", "device", {"userid": "zhangsan"})
        link = self.client.oauth.authorize_url("http://127.0.0.1:9000/callback?from=menu", state="S1")
        back = self.simulator.open_in_client(link)
        self.assertEqual((back["from"], back["state"]), ("menu", "S1"))
        person = self.client.oauth.get_user_info(back["code"])
        self.assertEqual(person["UserId"], "zhangsan")
        self.assertEqual(self.client.user.get(person["UserId"])["name"], "张三")

    def test_somebody_outside_the_company_has_an_openid(self):
        person = self.client.oauth.get_user_info(self.simulator.code(openid="oStranger"))
        self.assertEqual(person["OpenId"], "oStranger")
        self.assertNotIn("UserId", person)

    def test_a_code_works_once(self):
        code = self.simulator.code(userid="lisi")
        self.client.oauth.get_user_info(code)
        with self.refused(40029):
            self.client.oauth.get_user_info(code)

    def test_a_wrong_secret_is_said(self):
        with self.refused(40001):
            self.client_with("wrong").fetch_access_token()

    def test_it_renews_an_expired_token_by_itself(self):
        self.client.department.get()
        self.simulator.control("POST", "tokens", {"action": "expire"})
        self.assertTrue(self.client.department.get())
        calls = self.simulator.control("GET", "calls")["calls"]
        self.assertEqual(calls, {"gettoken": 2, "department/list": 3})


class Contacts(WithSimulator):
    def test_it_reads_the_departments(self):
        departments = {one["id"]: one for one in self.client.department.get()}
        self.assertEqual((departments[2]["name"], departments[2]["parentid"]), ("研发中心", 1))
        self.assertEqual({one["id"] for one in self.client.department.get(2)}, {2, 3, 4})

    def test_it_reads_the_members_of_a_department(self):
        names = {one["userid"]: one["name"] for one in self.client.department.get_users(2)}
        self.assertEqual(names, {"zhangsan": "张三", "lisi": "李四"})
        details = {one["userid"]: one for one in self.client.user.list(2)}
        self.assertEqual(details["lisi"]["position"], "人事主管")
        self.assertEqual(details["zhangsan"]["department"], [1, 2])

    def test_it_maps_the_whole_company(self):
        by_name = self.client.department.get_map_users()
        self.assertEqual((by_name["张三"], by_name["王五"]), ("zhangsan", "wangwu"))
        self.assertNotIn("陈九", by_name)

    def test_new_apps_do_not_get_the_mobile_number(self):
        self.assertNotIn("mobile", self.client.user.get("lisi"))
        self.simulator.control("PATCH", f"apps/{self.simulator.agentid}", {"made": "before"})
        self.assertEqual(self.client.user.get("lisi")["mobile"], "13800000002")

    def test_it_reads_its_own_app(self):
        app = self.client.agent.get(self.simulator.agentid)
        self.assertEqual(app["allow_partys"], {"partyid": [1]})

    def test_members_who_cannot_be_read(self):
        with self.refused(60111):
            self.client.user.get("chenjiu")
        with self.refused(60111):
            self.client.user.get("nobody")
        with self.refused(60003):
            self.client.department.get(99)


if __name__ == "__main__":
    unittest.main()
