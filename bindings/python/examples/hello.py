from jit.errcode import Code

wecom = app.getElement("auths.loginTypes.QywxInnerExample")
print("company", wecom.getLoginConfig()["corpId"])

wecom.syncDepartmentInfo()
leaders = wecom.QywxInnerAuthModel.query(Q(isLeader=True), orderList=[["id", 1]])
for row in leaders["rowDatas"]:
    print("leader", row.userId.value, row["name"])

try:
    wecom.getLoginCode(authCode="not a code")
except Code as error:
    print("error", error.code)
