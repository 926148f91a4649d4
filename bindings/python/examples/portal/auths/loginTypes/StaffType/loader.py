from auths.loginTypes.QywxInnerType import QywxInnerType


class StaffType(QywxInnerType):
    """A sign-in that tells the company's mail address, too."""

    def getLoginCode(self, authCode, state=None):
        user = super().getLoginCode(authCode, state)
        user["companyMail"] = self.mailOf(user["userId"])
        return user

    def mailOf(self, userId):
        return f"{userId.lower()}@example.com"


class Loader:
    def __init__(self, nodes):
        self.nodes = nodes

    def load(self):
        return StaffType(self.nodes)
