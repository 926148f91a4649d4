from wecom_login import Code as Code
