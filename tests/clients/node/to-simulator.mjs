// Loaded before the tests (node --import): requests for WeCom go to the simulator named in WECOM_SIMULATOR_URL.
// The clients under test are not touched; they still ask for https://qyapi.weixin.qq.com.

import http from "node:http";
import https from "node:https";
import { syncBuiltinESMExports } from "node:module";

const WECOM = "qyapi.weixin.qq.com";
const request = https.request;

https.request = (url, options, callback) => {
  const target = new URL(url);
  if (target.hostname !== WECOM) return request(url, options, callback);
  const here = new URL(target.pathname + target.search, process.env.WECOM_SIMULATOR_URL);
  // The client's own agent speaks TLS; everything else it chose (method, headers, time-outs) stays.
  return http.request(here, { ...options, agent: undefined }, callback);
};
syncBuiltinESMExports();
