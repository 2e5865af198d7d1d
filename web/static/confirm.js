// Opens WeChat's own sheet, in which a member confirms a transfer.
"use strict";

const button = document.getElementById("confirm");
const said = document.getElementById("said");

function say(message) {
  said.textContent = message;
  said.hidden = false;
}

function ask() {
  const { merchant, app, package: handed, failed, thanks } = button.dataset;
  WeixinJSBridge.invoke("requestMerchantTransfer", { mchId: merchant, appId: app, package: handed }, (result) => {
    if (result.err_msg === "requestMerchantTransfer:ok") {
      button.hidden = true;
      say(thanks);
    } else if (!result.err_msg.endsWith(":cancel")) {
      say(failed);
    }
  });
}

button.addEventListener("click", () => {
  if (window.WeixinJSBridge) {
    ask();
  } else {
    document.addEventListener("WeixinJSBridgeReady", ask, { once: true });
  }
});
