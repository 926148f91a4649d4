"""QywxInnerAuthModel: rows, filters in both grammars, as objects and as text."""

from __future__ import annotations

import copy
from typing import Any

import pytest

import wecom_login
from wecom_login import AuthModel, Code, Q
from world import OFFICIAL, Instance, World

STAFF = "auths.loginTypes.Staff"


@pytest.fixture
def model(app: wecom_login.App) -> AuthModel:
    app.getElement(STAFF).syncDepartmentInfo()
    found = app.getElement(STAFF).QywxInnerAuthModel
    assert isinstance(found, AuthModel)
    return found


def test_a_row_has_all_sixteen_fields_as_values_and_as_items(model: AuthModel) -> None:
    row = model.get(Q(userId="ZhangSan"))
    assert row is not None
    fields = "id userId name mobile email avatar department position gender status isLeader accessToken refreshToken"
    assert set(row.keys()) == {*fields.split(), "expiresAt", "createdAt", "updatedAt"}
    assert row.userId.value == row["userId"] == row.userId == "zhangsan"
    assert f"{row.name}" == "张三" and row.department.value == [1, 2] and bool(row.isLeader)
    assert (row.accessToken.value, row.refreshToken.value, row.expiresAt.value) == ("", "", None)
    assert dict(row)["createdAt"] == row.createdAt.value > 1_600_000_000_000
    assert "name" in row and len(row) == 16 and copy.copy(row) == row == copy.deepcopy(row)
    with pytest.raises(AttributeError, match="no field phone"):
        row.phone
    with pytest.raises(KeyError):
        row["phone"]


@pytest.mark.parametrize(
    "filter",
    [
        Q(userId="zhangsan", id__gte=1),
        Q(Q("userId", "=", "zhangsan"), Q.AND, Q("id", ">=", 1)),
        Q(Q("userId", "=", "zhangsan")),
        Q(userId="zhangsan") & Q("id", "!=", -1),
        Q(Q(userId="nobody"), Q.OR, Q(userId="zhangsan")),
        Q(userId="nobody") | Q("userId", "in", ["zhangsan"]),
        "Q(userId='zhangsan', id__gte=1)",
        "Q(Q('userId','=','zhangsan'), Q.AND, Q('id','>=',1))",
        Q(userId="zhangsan", isLeader=True),
        Q(userId="zhangsan", isLeader=1),
        Q(Q("userId", "=", "zhangsan"), Q.AND, Q("isLeader", "!=", None)),
    ],
    ids=str,
)
def test_both_grammars_mean_the_same(model: AuthModel, filter: Any) -> None:
    found = model.query(filter)
    assert found["totalCount"] == 1
    assert [row.userId.value for row in found["rowDatas"]] == ["zhangsan"]
    got = model.get(filter)
    assert got is not None and got["userId"] == "zhangsan"


@pytest.mark.parametrize("name", ["it's", 'a "quote"', "back\\slash", "line\nend", "\x07\u200b\U0001f600", "'), Q.OR, Q()", "\ud800"])
def test_no_text_can_leave_its_quotes(model: AuthModel, name: str) -> None:
    assert model.query(Q(name=name))["totalCount"] == 0
    assert model.query(Q("name", "in", [name]))["totalCount"] == 0
    assert model.query(Q("name", "!=", name))["totalCount"] == model.query()["totalCount"]


def test_pages_orders_and_fields(model: AuthModel) -> None:
    everyone = model.query(size=1000)
    assert everyone["totalCount"] == len(everyone["rowDatas"]) > 3
    ids = [row["id"] for row in everyone["rowDatas"]]
    backwards = model.query(None, ["id", "name"], [["id", -1]], page=2, size=2)
    assert [row["id"] for row in backwards["rowDatas"]] == ids[::-1][2:4]
    assert [row.keys() for row in backwards["rowDatas"]] == [["id", "name"]] * 2 or all(
        set(row.keys()) == {"id", "name"} for row in backwards["rowDatas"]
    )
    first = model.get(orderList=[["id", 1]])
    assert first is not None and first["id"] == ids[0]
    assert model.get(Q(userId="nobody")) is None


@pytest.mark.parametrize(
    ("ask", "told"),
    [
        (lambda model: model.query(Q(phone="1")), "expected a field"),
        (lambda model: model.query("Q(name='x'"), "filter, character"),
        (lambda model: model.query(fieldList=["phone"]), "fieldList"),
        (lambda model: model.query(orderList=[["name", 2]]), "orderList"),
        (lambda model: model.query(page=0), "page"),
        (lambda model: model.query(size=1001), "size"),
        (lambda model: model.get(Q("department", "like", "x")), "department has no like"),
    ],
)
def test_what_is_wrong_with_a_question_is_named(model: AuthModel, ask: Any, told: str) -> None:
    with pytest.raises(Code, match=told) as caught:
        ask(model)
    assert caught.value.code == 710308


@pytest.mark.parametrize("parts", [("a", "b"), (Q(), "AND", Q()), (1,), ("name", "=", object()), ("name", "=", 1.5)])
def test_what_is_no_filter_is_told_when_it_is_written(parts: Any) -> None:
    with pytest.raises(TypeError, match="Q: "):
        Q(*parts)
    with pytest.raises(TypeError):
        Q(Q(), name="x")


def test_the_model_of_the_type_holds_every_company(model: AuthModel, app: wecom_login.App) -> None:
    every = app.getElement(f"{OFFICIAL}.QywxInnerAuthModel")
    assert every.query()["totalCount"] == model.query()["totalCount"]
    assert app.auths.loginTypes.QywxInnerType.QywxInnerAuthModel.fullName == every.fullName
    assert app.getElement(f"{STAFF}.QywxInnerAuthModel").get(Q(userId="lisi")) == model.get(Q(userId="lisi"))


def test_two_companies_do_not_mix(wecom: World, folder: Instance, opened: Any) -> None:
    folder.instance("Staff", wecom)
    folder.instance("Other", wecom, corpId="ww0000000000000000")
    app = opened(folder)
    app.getElement(STAFF).syncUserInfo("zhangsan")
    assert app.getElement("auths.loginTypes.Other").QywxInnerAuthModel.query()["totalCount"] == 0
