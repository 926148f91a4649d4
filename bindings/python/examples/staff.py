"""Prints the members of a department: staff.py APP DEPARTMENT"""

import sys
from typing import List

import wecom_login
from jit.errcode import Code
from wecom_login import Q


def names(app: wecom_login.App, department: int) -> List[str]:
    staff = app.getElement("auths.loginTypes.Staff")
    staff.syncDepartmentInfo(deptId=str(department))
    rows = staff.QywxInnerAuthModel.query(Q(department=department), orderList=[["id", 1]])
    return [str(row.name) for row in rows["rowDatas"]]


def main() -> None:
    with wecom_login.open_app(sys.argv[1]) as app:
        try:
            print(", ".join(names(app, int(sys.argv[2]))))
        except Code as error:
            sys.exit(f"WeCom refused with {error.code}: {error.reason}")


if __name__ == "__main__":
    main()
