from jit.errcode import Code
from wecom_login.types import QywxInnerType


class OneDepartment(QywxInnerType):
    """Lets nobody in but the members of department 2."""

    def getLoginCode(self, authCode, state=None):
        user = super().getLoginCode(authCode, state)
        if 2 not in user["department"]:
            raise Code(9000001, "only members of department 2 may sign in here")
        return user


class Loader:
    def __init__(self, nodes):
        self.nodes = nodes

    def load(self):
        return OneDepartment(self.nodes)
