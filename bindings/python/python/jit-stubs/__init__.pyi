from . import errcode as errcode
