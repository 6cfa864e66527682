//! Tests real agents of people: none may be refused, and all must be recognised.

use super::{BotSignals, Claims, agent::*};
use proptest::prelude::*;
use schemas::{
    Device::{self, Desktop, Mobile, Tablet},
    values::MAX_NAME_CHARS,
};

/// Device, browser ("" for none), system, agent. In-app browsers first: they are the main traffic.
#[rustfmt::skip]
pub(super) const PEOPLE: &[(Device, &str, &str, &str)] = &[
    (Mobile, "Instagram", "iOS", "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/21F90 Instagram 334.0.4.32.98 (iPhone15,3; iOS 17_5_1; en_US; en; scale=3.00; 1290x2796; 606391890)"),
    (Mobile, "Instagram", "Android", "Mozilla/5.0 (Linux; Android 15; CPH2557 Build/AP3A.240617.008; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/142.0.7444.142 Mobile Safari/537.36 Instagram 406.0.0.58.159 Android (35/15; 480dpi; 1080x2400; OPPO; CPH2557; OP573DL1; mt6833; en_MY; 822918295; IABMV/1) NV/1"),
    (Mobile, "Chrome Mobile", "Android", "Mozilla/5.0 (Linux; Android 15; CPH2557 Build/AP3A.240617.008) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Mobile Safari/537.36"),
    (Mobile, "Facebook", "Android", "Mozilla/5.0 (Linux; Android 16; Pixel 10 Pro XL Build/CP1A.260305.018; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/146.0.7680.174 Mobile Safari/537.36 MetaIAB Facebook"),
    (Tablet, "Instagram", "iPadOS", "Mozilla/5.0 (iPad; CPU OS 16_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148 Instagram 297.0.0.22.117 (iPad13,8; iPadOS 16_6; tr_TR; tr; scale=2.00; 750x1334; 513842150)"),
    (Mobile, "Facebook", "Android", "Mozilla/5.0 (Linux; Android 14; SM-S911B Build/UP1A.231005.007; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/125.0.6422.165 Mobile Safari/537.36 [FB_IAB/FB4A;FBAV/467.1.0.52.83;]"),
    (Mobile, "Facebook", "iOS", "Mozilla/5.0 (iPhone; CPU iPhone OS 17_4_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/21E236 [FBAN/FBIOS;FBAV/465.0.1.41.103;FBBV/602060281;FBDV/iPhone14,5;FBMD/iPhone;FBSN/iOS;FBSV/17.4.1;FBSS/3;FBID/phone;FBLC/tr_TR;FBOP/5;FBRV/604543121]"),
    (Tablet, "Facebook", "iPadOS", "Mozilla/5.0 (iPad; CPU OS 15_8 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/19H370 [FBAN/FBIOS;FBDV/iPad5,3;FBMD/iPad;FBSN/iPadOS;FBSV/15.8;FBSS/2;FBID/tablet;FBLC/en_GB;FBOP/5]"),
    (Mobile, "Facebook Messenger", "iOS", "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148 [FBAN/MessengerForiOS;FBAV/458.0.0.42.108;FBDV/iPhone13,2;FBMD/iPhone;FBSN/iOS;FBSV/17.5]"),
    (Mobile, "TikTok", "iOS", "Mozilla/5.0 (iPhone; CPU iPhone OS 17_4 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148 musical_ly_34.1.0 JsSdk/2.0 NetType/WIFI Channel/App Store ByteLocale/tr Region/TR isDarkMode/1 WKWebView/1 RevealType/Dialog BytedanceWebview/d8a21c6 FalconTag/"),
    (Mobile, "TikTok", "Android", "Mozilla/5.0 (Linux; Android 13; RMX3363 Build/RKQ1.210503.001; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/124.0.6367.179 Mobile Safari/537.36 trill_340503 JsSdk/1.0 NetType/WIFI Channel/googleplay AppName/trill app_version/34.5.3 ByteLocale/en ByteFullLocale/en Region/MY AppId/1180 Spark/1.5.7.2-bugfix AppVersion/34.5.3 BytedanceWebview/d8a21c6"),
    (Mobile, "Twitter", "iOS", "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1 Twitter for iPhone/10.44"),
    (Mobile, "Twitter", "Android", "Mozilla/5.0 (Linux; Android 14; Pixel 8 Build/UQ1A.240205.004; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/123.0.6312.118 Mobile Safari/537.36 TwitterAndroid"),
    (Mobile, "Pinterest", "iOS", "Mozilla/5.0 (iPhone; CPU iPhone OS 17_3_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/21D61 [Pinterest/iOS]"),
    (Mobile, "Pinterest", "Android", "Mozilla/5.0 (Linux; Android 12; M2101K6G Build/SKQ1.210908.001; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/120.0.6099.230 Mobile Safari/537.36 [Pinterest/Android]"),
    (Mobile, "LinkedIn", "iOS", "Mozilla/5.0 (iPhone; CPU iPhone OS 17_4_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148 [LinkedInApp]/9.29.6250"),
    (Mobile, "Snapchat", "iOS", "Mozilla/5.0 (iPhone; CPU iPhone OS 17_2 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148 Snapchat/12.84.0.39 (like Safari/8617.1.17.10.9, panda)"),
    (Mobile, "WhatsApp", "Android", "Mozilla/5.0 (Linux; Android 14; SM-A546E Build/UP1A.231005.007; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/126.0.6478.71 Mobile Safari/537.36 WhatsApp/2.24.12.78"),
    (Mobile, "Threads", "iOS", "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148 Barcelona 334.0.4.32.98 (iPhone14,2; iOS 17_5_1; en_GB; en; scale=3.00; 1170x2532; 606391890)"),
    (Mobile, "LINE", "Android", "Mozilla/5.0 (Linux; Android 13; V2219 Build/TP1A.220624.014; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/124.0.6367.82 Mobile Safari/537.36 Line/14.6.2/IAB"),
    (Mobile, "KakaoTalk", "iOS", "Mozilla/5.0 (iPhone; CPU iPhone OS 17_4_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148 KAKAOTALK 10.7.5"),
    (Mobile, "WeChat", "iOS", "Mozilla/5.0 (iPhone; CPU iPhone OS 16_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148 MicroMessenger/8.0.49(0x18003137) NetType/WIFI Language/en"),
    (Mobile, "Google", "iOS", "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) GSA/319.0.637871741 Mobile/15E148 Safari/604.1"),
    (Mobile, "Mobile Safari", "iOS", "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1"),
    (Tablet, "Chrome Mobile iOS", "iPadOS", "Mozilla/5.0 (iPad; CPU OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) CriOS/126.0.6478.35 Mobile/15E148 Safari/604.1"),
    (Desktop, "Safari", "Mac OS X", "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Safari/605.1.15"),
    (Desktop, "Chrome", "Mac OS X", "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36"),
    (Desktop, "Chrome", "Windows", "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36"),
    (Desktop, "Edge", "Windows", "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36 Edg/126.0.0.0"),
    (Desktop, "Firefox", "Windows", "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:127.0) Gecko/20100101 Firefox/127.0"),
    (Desktop, "IE", "Windows", "Mozilla/5.0 (Windows NT 6.1; WOW64; Trident/7.0; SLCC2; .NET CLR 2.0.50727; Media Center PC 6.0; Tablet PC 2.0; rv:11.0) like Gecko"),
    (Desktop, "Opera", "Windows", "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36 OPR/112.0.0.0"),
    (Desktop, "Chrome", "Linux", "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36"),
    (Desktop, "Firefox", "Ubuntu", "Mozilla/5.0 (X11; Ubuntu; Linux x86_64; rv:126.0) Gecko/20100101 Firefox/126.0"),
    (Desktop, "Chrome", "Chrome OS", "Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36"),
    (Mobile, "Chrome Mobile", "Android", "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Mobile Safari/537.36"),
    (Tablet, "Chrome", "Android", "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36"),
    (Mobile, "Samsung Internet", "Android", "Mozilla/5.0 (Linux; Android 14; SM-G998B) AppleWebKit/537.36 (KHTML, like Gecko) SamsungBrowser/25.0 Chrome/121.0.0.0 Mobile Safari/537.36"),
    (Tablet, "Chrome", "Android", "Mozilla/5.0 (Linux; Android 13; SM-X906C) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36"),
    (Mobile, "Firefox Mobile", "Android", "Mozilla/5.0 (Android 14; Mobile; rv:127.0) Gecko/127.0 Firefox/127.0"),
    (Tablet, "Firefox Mobile", "Android", "Mozilla/5.0 (Android 14; Tablet; rv:127.0) Gecko/127.0 Firefox/127.0"),
    (Tablet, "Amazon Silk", "Android", "Mozilla/5.0 (Linux; Android 9; KFMAWI) AppleWebKit/537.36 (KHTML, like Gecko) Silk/122.5.1 like Chrome/122.0.6261.119 Safari/537.36"),
    (Mobile, "Chrome Mobile WebView", "Android", "Mozilla/5.0 (Linux; Android 9; CUBOT X19 S Build/PPR1.180610.011; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/125.0.6422.165 Mobile Safari/537.36"),
    (Mobile, "MiuiBrowser", "Android", "Mozilla/5.0 (Linux; U; Android 13; tr-tr; 22101316UG Build/TP1A.220624.014) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/112.0.5615.136 Mobile Safari/537.36 XiaoMi/MiuiBrowser/14.11.0-gn"),
    (Mobile, "UC Browser", "Android", "Mozilla/5.0 (Linux; U; Android 9; en-US; SM-J400F Build/PPR1.180610.011) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/78.0.3904.108 UCBrowser/13.4.0.1306 Mobile Safari/537.36"),
    (Mobile, "Opera Mini", "Android", "Opera/9.80 (Android; Opera Mini/36.2.2254/191.256; U; en) Presto/2.12.423 Version/12.16"),
    (Mobile, "Huawei Browser", "HarmonyOS", "Mozilla/5.0 (Linux; Android 12; HarmonyOS; NOH-AN00; HMSCore 6.13.0.302) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/114.0.5735.196 HuaweiBrowser/14.0.5.302 Mobile Safari/537.36"),
    (Mobile, "ArkWeb", "HarmonyOS", "Mozilla/5.0 (Phone; OpenHarmony 5.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/114.0.0.0 Safari/537.36 ArkWeb/4.1.6.1 Mobile"),
    (Mobile, "Firefox Mobile", "KaiOS", "Mozilla/5.0 (Mobile; Nokia_8110_4G; rv:48.0) Gecko/48.0 Firefox/48.0 KAIOS/2.5"),
    (Mobile, "Edge Mobile", "Windows Phone", "Mozilla/5.0 (Windows Phone 10.0; Android 6.0.1; Microsoft; Lumia 950) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/52.0.2743.116 Mobile Safari/537.36 Edge/15.15063"),
    (Desktop, "Chrome", "Android", "Mozilla/5.0 (Linux; Android 11; BRAVIA 4K VH2 Build/RTT2.220929.001) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/103.0.5060.71 Safari/537.36"),
    (Desktop, "Safari", "Tizen", "Mozilla/5.0 (SMART-TV; LINUX; Tizen 6.0) AppleWebKit/537.36 (KHTML, like Gecko) 76.0.3809.146/6.0 TV Safari/537.36"),
    (Desktop, "Safari", "", "Mozilla/5.0 (PlayStation; PlayStation 5/8.20) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/15.4 Safari/605.1.15"),
    (Desktop, "Edge", "Windows", "Mozilla/5.0 (Windows NT 10.0; Win64; x64; Xbox; Xbox One) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/90.0.4430.212 Safari/537.36 Edg/90.0.818.66"),
    (Desktop, "Chrome Mobile", "Android", "Mozilla/5.0 (Linux; Android 12; Quest 3) AppleWebKit/537.36 (KHTML, like Gecko) OculusBrowser/31.0.0.10.57 Chrome/120.0.6099.283 Mobile VR Safari/537.36"),
    (Desktop, "Electron", "Mac OS X", "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Notion/3.9.1 Chrome/124.0.6367.243 Electron/30.1.2 Safari/537.36"),
    (Mobile, "DuckDuckGo Mobile", "iOS", "Mozilla/5.0 (iPhone; CPU iPhone OS 17_4 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.4 Mobile/15E148 DuckDuckGo/7 Safari/605.1.15"),
    (Desktop, "Coc Coc", "Windows", "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) coc_coc_browser/127.0.212 Chrome/121.0.6167.212 Safari/537.36"),
    (Desktop, "Sogou Explorer", "Windows", "Mozilla/5.0 (Windows NT 10.0; WOW64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/80.0.3987.87 Safari/537.36 SE 2.X MetaSr 1.0 SogouExplorer"),
    (Mobile, "Chrome Mobile", "Android", "Mozilla/5.0 (Linux; Android 6.0; M BOT 551 Build/MRA58K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/54.0.2840.85 Mobile Safari/537.36"),
    (Mobile, "Instagram", "Android", "Mozilla/5.0 (Linux; Android 6.0; M BOT 551 Build/MRA58K; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/54.0.2840.85 Mobile Safari/537.36 Instagram 150.0.0.33.120 Android (23/6.0; 320dpi; 720x1280; M bot; M BOT 551; M_BOT_551; mt6580; es_MX; 231418115)"),
    (Mobile, "Chrome Mobile", "Android", "Mozilla/5.0 (Linux; Android 6.0; M bot 60 Build/NRD90M) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/54.0.2840.85 Mobile Safari/537.36"),
    (Mobile, "Chrome Mobile", "Android", "Mozilla/5.0 (Linux; Android 6.0; IDbot553PLUS Build/MRA58K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/63.0.3239.111 Mobile Safari/537.36"),
    (Mobile, "Chrome Mobile", "Android", "Mozilla/5.0 (Linux; Android 6.0; POWER BOT Build/MRA58K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/54.0.2840.85 Mobile Safari/537.36"),
    (Mobile, "Chrome Mobile", "Android", "Mozilla/5.0 (Linux; Android 9; CUBOT_P30) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Mobile Safari/537.36"),
    (Mobile, "Facebook", "Android", "Mozilla/5.0 (Linux; Android 6.0; M BOT 60 Build/NRD90M; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/60.0.3112.116 Mobile Safari/537.36 [FBAN/EMA;FBDV/M BOT 60;FBSV/6.0;]"),
    (Tablet, "Mobile Safari", "iPadOS", "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_4) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/13.1 Mobile/15E148 Safari/604.1"),
    (Tablet, "Chrome Mobile iOS", "iPadOS", "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) CriOS/126 Version/11.1.1 Safari/605.1.15"),
    (Desktop, "", "Mac OS X", "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko)"),
    (Mobile, "Huawei Browser", "HarmonyOS", "Mozilla/5.0 (Phone; OpenHarmony 6.0; Android 10) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/132.0.0.0 Safari/537.36 ArkWeb/6.0 Mobile HuaweiBrowser/5.1"),
    (Tablet, "Huawei Browser", "HarmonyOS", "Mozilla/5.0 (Tablet; OpenHarmony 5.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/114.0.0.0 Safari/537.36 ArkWeb/4.1.6.1 HuaweiBrowser/5.0.3.351"),
    (Desktop, "ArkWeb", "HarmonyOS", "Mozilla/5.0 (PC; OpenHarmony 6.0; Android 10) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/132.0.0.0 Safari/537.36 ArkWeb/6.0.0.39"),
    (Mobile, "WeChat", "HarmonyOS", "Mozilla/5.0 (Phone; OpenHarmony 5.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/114.0.0.0 Safari/537.36 ArkWeb/4.1.6.1 Mobile MicroMessenger/8.0.11(0x1800) NetType/WIFI"),
    (Mobile, "Facebook", "Android", "[FBAN/FB4A;FBAV/500.0;FBDV/SM-S921B;FBSV/16;FBOP/1]"),
    (Mobile, "Facebook", "iOS", "[FBAN/FBIOS;FBAV/500.0;FBDV/iPhone15,3;FBSV/17.4;FBID/phone]"),
    (Mobile, "Facebook", "Android", "[FB_IAB/FB4A;FBAV/500.0;FBDV/SM-S921B;FBSV/16;]"),
    (Mobile, "Instagram", "Android", "Instagram 320.0.0.0 Android (34/14; 480dpi; 1080x2340; samsung; SM-S921B; e1s; s5e9945; en_US; 571234567)"),
    (Tablet, "Facebook", "Android", "[FBAN/FB4A;FBAV/500.0;FBDV/SM-X200;FBSV/13;FBID/tablet]"),
    (Mobile, "Facebook", "Android", "Dalvik/2.1.0 (Linux; U; Android 5.1.1; SM-J320F Build/LMY47V) [FBAN/FB4A;FBAV/43.0.0.29.147;FBPN/com.facebook.katana;FBDV/SM-J320F;FBSV/5.1.1]"),
    (Desktop, "Android", "Android", "Dalvik/2.1.0 (Linux; U; Android 11; PHILIPS 4K TV Build/RTT2.220929.001) CTV"),
    (Desktop, "Chrome", "Android", "Mozilla/5.0 (Linux; Android 9; SmartTV 4K Build/PPR1) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/103.0.5060.71 Safari/537.36"),
    (Desktop, "Chrome", "webOS", "Mozilla/5.0 (Web0S; Linux/SmartTV) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/94.0.4606.128 Safari/537.36 WebAppManager"),
    (Desktop, "Chrome Mobile WebView", "Android", "Mozilla/5.0 (Linux; Android 11; AFTKA Build/RS8149; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/108.0.5359.160 Mobile Safari/537.36"),
    (Desktop, "", "ATV OS X", "AppleTV11,1/11.1"),
    (Mobile, "Facebook Messenger", "iOS", "[FBAN/MessengerForiOS;FBDV/iPhone13,2;FBMD/iPhone;FBSN/iOS;FBSV/17.5;FBAV/458.0.0.42.108]"),
    (Mobile, "Facebook Messenger", "iOS", "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148 [FBAN/MessengerLiteForiOS;FBAV/458.0.0.42.108;FBDV/iPhone13,2;FBSV/17.5]"),
    (Mobile, "Facebook Messenger", "Android", "[FBAN/Orca-Android;FBAV/458.0.0.42.108;FBPN/com.facebook.orca;FBDV/SM-S921B;FBSV/14]"),
    (Mobile, "Facebook Messenger", "Android", "Mozilla/5.0 (Linux; Android 14; SM-S911B Build/UP1A.231005.007; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/125.0.6422.165 Mobile Safari/537.36 [FB_IAB/Orca-Android;FBAV/467.1.0.52.83;]"),
    (Mobile, "Facebook Messenger", "Android", "Mozilla/5.0 (Linux; Android 14; SM-S911B Build/UP1A.231005.007; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/125.0.6422.165 Mobile Safari/537.36 [FB_IAB/MESSENGER;FBAV/467.1.0.52.83;]"),
    (Mobile, "Instagram", "iOS", "[FBAN/InstagramForiOS;FBAV/334.0;FBDV/iPhone15,3;FBSN/iOS;FBSV/17.5]"),
    (Mobile, "Facebook", "Android", "FBAN/FB4A;FBAV/500.0;FBDV/SM-S921B;FBSV/16;FBOP/1"),
    (Mobile, "Facebook", "iOS", "Mozilla/5.0 (iPhone; CPU iPhone OS 17_4_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/21E236 FBAN/FBIOS;FBAV/465.0.1.41.103;FBDV/iPhone14,5"),
    (Mobile, "Facebook Messenger", "iOS", "FBAN/MessengerForiOS;FBAV/458.0.0.42.108;FBDV/iPhone13,2;FBSV/17.5"),
    (Mobile, "Snapchat", "Android", "Mozilla/5.0 (Linux; Android 13; SM-A536B Build/TP1A.220624.014; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/124.0.6367.82 Mobile Safari/537.36 Snapchat/12.84.0 (SM-A536B; Android 13; gzip)"),
    (Mobile, "Snapchat", "Android", "Mozilla/5.0 (Linux; Android 13; SM-A536B; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/124.0.6367.82 Mobile Safari/537.36 Snapchat/12.84.0.39 (SM-A536B; Android 13; gzip)"),
    (Mobile, "Snapchat", "Android", "Snapchat/12.84.0.39 (SM-A536B; Android 13#123456#33; gzip; V/MUSHROOM)"),
    (Mobile, "LinkedIn", "Android", "Mozilla/5.0 (Linux; Android 13; SM-A536B; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/124.0.6367.82 Mobile Safari/537.36 LinkedInApp"),
    (Mobile, "LinkedIn", "iOS", "Mozilla/5.0 (iPhone; CPU iPhone OS 17_4_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148 LinkedInApp/9.29.6250"),
    (Mobile, "TikTok", "iOS", "TikTok 34.1.0 rv:341010 (iPhone; iOS 17.4; tr_TR) Cronet"),
    (Mobile, "Twitter", "Android", "Mozilla/5.0 (Linux; Android 14; Pixel 8; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/123.0.6312.118 Mobile Safari/537.36 Twitter for Android/10.44"),
    (Mobile, "Pinterest", "Android", "Pinterest for Android/11.44.0 (SM-A536B; 13)"),
    (Mobile, "Facebook", "HarmonyOS", "Mozilla/5.0 (Linux; Android 12; HarmonyOS; NOH-AN00) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/114.0.5735.196 HuaweiBrowser/14.0.5.302 Mobile Safari/537.36 [FB_IAB/FB4A;FBAV/467.1.0.52.83;]"),
    (Mobile, "Mobile Safari UI/WKWebView", "iOS", "Mozilla/5.0 (iPhone; CPU iPhone OS 15_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148"),
];

fn agents() -> Agents {
    Agents::bundled().unwrap()
}

#[test]
fn people_are_never_refused_and_have_the_expected_device() {
    let agents = agents();
    for (device, browser, os, header) in PEOPLE {
        let parsed = agents.parse(Some(header));
        assert!(
            !parsed.signals().refuses(),
            "{:?} {header}",
            parsed.signals()
        );
        let agent = parsed.with_claims(&Claims::default());
        assert_eq!(agent.device, Some(*device), "{header}");
        assert_eq!(
            agent.browser.as_deref().unwrap_or_default(),
            *browser,
            "{header}"
        );
        assert_eq!(agent.os.as_deref().unwrap_or_default(), *os, "{header}");
    }
}

#[test]
fn a_version_belongs_to_its_system() {
    for (os, browser, header) in [
        (
            "17.5",
            "458.0.0.42.108",
            "FBAN/MessengerForiOS;FBAV/458.0.0.42.108;FBDV/iPhone13,2;FBSV/17.5",
        ),
        (
            "17.4.1",
            "9.29.6250",
            "Mozilla/5.0 (iPhone; CPU iPhone OS 17_4_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148 [LinkedInApp]/9.29.6250",
        ),
        (
            "13",
            "12.84.0",
            "Mozilla/5.0 (Linux; Android 13; SM-A536B; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/124.0.6367.82 Mobile Safari/537.36 Snapchat/12.84.0 (SM-A536B; Android 13; gzip)",
        ),
        (
            "6.0",
            "5.1",
            "Mozilla/5.0 (Phone; OpenHarmony 6.0; Android 10) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/132.0.0.0 Safari/537.36 ArkWeb/6.0 Mobile HuaweiBrowser/5.1",
        ),
        (
            "5.1",
            "4.1.6.1",
            "Mozilla/5.0 (Phone; OpenHarmony 5.0; HarmonyOS 5.1) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/114.0.0.0 Safari/537.36 ArkWeb/4.1.6.1 Mobile",
        ),
        (
            "",
            "14.0.5.302",
            "Mozilla/5.0 (Linux; Android 12; HarmonyOS; NOH-AN00; HMSCore 6.13.0.302) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/114.0.5735.196 HuaweiBrowser/14.0.5.302 Mobile Safari/537.36",
        ),
        (
            "",
            "13.1",
            "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_4) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/13.1 Mobile/15E148 Safari/604.1",
        ),
        (
            "17.5",
            "126.0.6478.35",
            "Mozilla/5.0 (iPad; CPU OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) CriOS/126.0.6478.35 Mobile/15E148 Safari/604.1",
        ),
        (
            "16",
            "500.0",
            "[FBAN/FB4A;FBAV/500.0;FBDV/SM-S921B;FBSV/16;FBOP/1]",
        ),
        (
            "17.4",
            "500.0",
            "[FBAN/FBIOS;FBAV/500.0;FBDV/iPhone15,3;FBMD/iPhone;FBSN/iOS;FBSV/17.4;FBID/phone]",
        ),
    ] {
        let agent = agents().parse(Some(header)).with_claims(&Claims::default());
        let found = [agent.os_version, agent.browser_version].map(Option::unwrap_or_default);
        assert_eq!(found, [os, browser], "{header}");
    }
}

#[test]
fn versions_makers_and_models_are_found() {
    let agents = agents();
    let parse = |header| agents.parse(Some(header)).with_claims(&Claims::default());
    let iphone = parse(
        "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like \
         Gecko) Version/17.5 Mobile/15E148 Safari/604.1",
    );
    assert_eq!(iphone.browser_version.as_deref(), Some("17.5"));
    assert_eq!(iphone.os_version.as_deref(), Some("17.5.1"));
    assert_eq!(iphone.brand.as_deref(), Some("Apple"));
    assert_eq!(iphone.model.as_deref(), Some("iPhone"));
    // "Generic" and "Other" are placeholders, not names.
    let reduced = parse(
        "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) \
         Chrome/126.0.0.0 Mobile Safari/537.36",
    );
    assert_eq!((reduced.brand, reduced.model), (None, None));
    let windows =
        parse("Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:127.0) Gecko/20100101 Firefox/127.0");
    assert_eq!((windows.brand, windows.model), (None, None));
}

/// Common phones and tablets, in browsers that still name the model, mostly in-app ones.
#[rustfmt::skip]
const PHONES: &[(&str, &str, &str)] = &[
    ("Apple", "iPhone", "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1"),
    ("Apple", "iPhone15,3", "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/21F90 Instagram 334.0.4.32.98 (iPhone15,3; iOS 17_5_1; en_US; en; scale=3.00; 1290x2796; 606391890)"),
    ("Apple", "iPhone14,5", "Mozilla/5.0 (iPhone; CPU iPhone OS 17_4_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/21E236 [FBAN/FBIOS;FBAV/465.0.1.41.103;FBBV/602060281;FBDV/iPhone14,5;FBMD/iPhone;FBSN/iOS;FBSV/17.4.1;FBSS/3;FBID/phone;FBLC/tr_TR;FBOP/5;FBRV/604543121]"),
    ("Apple", "iPad", "Mozilla/5.0 (iPad; CPU OS 16_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/16.6 Mobile/15E148 Safari/604.1"),
    ("Apple", "iPad", "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_4) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/13.1 Mobile/15E148 Safari/604.1"),
    ("Samsung", "SM-S921B", "[FBAN/FB4A;FBAV/500.0;FBDV/SM-S921B;FBSV/16;FBOP/1]"),
    ("Samsung", "SM-S918B", "Mozilla/5.0 (Linux; Android 14; SM-S918B) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.6478.71 Mobile Safari/537.36"),
    ("Samsung", "SM-A135F", "Mozilla/5.0 (Linux; Android 13; SAMSUNG SM-A135F) AppleWebKit/537.36 (KHTML, like Gecko) SamsungBrowser/21.0 Chrome/110.0.5481.154 Mobile Safari/537.36"),
    ("Samsung", "SM-T870", "Mozilla/5.0 (Linux; Android 12; SM-T870) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Safari/537.36"),
    ("Google", "Pixel 8 Pro", "Mozilla/5.0 (Linux; Android 14; Pixel 8 Pro) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.6478.71 Mobile Safari/537.36"),
    ("XiaoMi", "Redmi Note 9 Pro", "Mozilla/5.0 (Linux; Android 12; Redmi Note 9 Pro) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/124.0.0.0 Mobile Safari/537.36"),
    ("XiaoMi", "2201116SG", "Mozilla/5.0 (Linux; Android 13; 2201116SG) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Mobile Safari/537.36"),
    ("XiaoMi", "M2101K6G", "Mozilla/5.0 (Linux; Android 12; M2101K6G Build/SKQ1.210908.001; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/120.0.6099.230 Mobile Safari/537.36 [Pinterest/Android]"),
    ("Oppo", "CPH2557", "Mozilla/5.0 (Linux; Android 15; CPH2557 Build/AP3A.240617.008; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/142.0.7444.142 Mobile Safari/537.36 Instagram 406.0.0.58.159 Android (35/15; 480dpi; 1080x2400; OPPO; CPH2557; OP573DL1; mt6833; en_MY; 822918295; IABMV/1) NV/1"),
    ("vivo", "V2219", "Mozilla/5.0 (Linux; Android 13; V2219 Build/TP1A.220624.014; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/124.0.6367.82 Mobile Safari/537.36 Line/14.6.2/IAB"),
    ("Huawei", "VOG-L29", "Mozilla/5.0 (Linux; Android 10; VOG-L29) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/106.0.0.0 Mobile Safari/537.36"),
    ("Huawei", "", "Mozilla/5.0 (Linux; Android 12; HarmonyOS; NOH-AN00; HMSCore 6.13.0.302) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/114.0.5735.196 HuaweiBrowser/14.0.5.302 Mobile Safari/537.36"),
    ("Motorola", "g(60)", "Mozilla/5.0 (Linux; Android 12; moto g(60)) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Mobile Safari/537.36"),
    ("OnePlus", "ONEPLUS A6013", "Mozilla/5.0 (Linux; Android 13; ONEPLUS A6013) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Mobile Safari/537.36"),
    ("Sony", "XQ-DQ54", "Mozilla/5.0 (Linux; Android 13; XQ-DQ54) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Mobile Safari/537.36"),
    ("Nokia", "G21", "Mozilla/5.0 (Linux; Android 12; Nokia G21) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Mobile Safari/537.36"),
    ("Infinix", "X6816", "Mozilla/5.0 (Linux; Android 12; Infinix X6816) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Mobile Safari/537.36"),
    ("Tecno", "KI5k", "Mozilla/5.0 (Linux; Android 12; TECNO KI5k) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Mobile Safari/537.36"),
    ("Fairphone", "Fairphone 4", "Mozilla/5.0 (Linux; Android 13; Fairphone 4) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Mobile Safari/537.36"),
    ("", "A063", "Mozilla/5.0 (Linux; Android 13; A063) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Mobile Safari/537.36"),
];

#[test]
fn common_phones_have_a_maker_and_a_model() {
    let agents = agents();
    for (brand, model, header) in PHONES {
        let agent = agents.parse(Some(header)).with_claims(&Claims::default());
        let found = (
            agent.brand.as_deref().unwrap_or_default(),
            agent.model.as_deref().unwrap_or_default(),
        );
        assert_eq!(found, (*brand, *model), "{header}");
    }
}

#[test]
fn a_claimed_model_counts_where_the_agent_names_none() {
    let agents = agents();
    let chrome = "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) \
                  Chrome/126.0.0.0 Mobile Safari/537.36";
    let samsung = "Mozilla/5.0 (Linux; Android 14; SM-S918B) AppleWebKit/537.36 (KHTML, like Gecko) \
                   Chrome/126.0.6478.71 Mobile Safari/537.36";
    for (header, model, expected) in [
        (chrome, "\"Pixel 8\"", (Some("Google"), Some("Pixel 8"))),
        (chrome, "\"SM-A135F\"", (Some("Samsung"), Some("SM-A135F"))),
        (chrome, "\"Unknown One\"", (None, Some("Unknown One"))),
        (chrome, "\"\"", (None, None)),
        (chrome, "\"K\"", (None, None)),
        (chrome, "\"", (None, None)),
        (samsung, "\"Pixel 8\"", (Some("Samsung"), Some("SM-S918B"))),
    ] {
        let claims = Claims {
            model: Some(model),
            ..Claims::default()
        };
        let agent = agents.parse(Some(header)).with_claims(&claims);
        let found = (agent.brand.as_deref(), agent.model.as_deref());
        assert_eq!(found, expected, "{model}");
    }
}

#[test]
fn the_agent_takes_precedence_over_the_claims() {
    let claims = Claims {
        device: Some("tablet"),
        browser: Some("Netscape"),
        os: Some("Linux"),
        os_version: Some("6.8"),
        ..Claims::default()
    };
    let agents = agents();
    let windows = agents
        .parse(Some(
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:127.0) Gecko/20100101 Firefox/127.0",
        ))
        .with_claims(&claims);
    assert_eq!(windows.device, Some(Desktop));
    assert_eq!(windows.browser.as_deref(), Some("Firefox"));
    assert_eq!(
        (windows.os.as_deref(), windows.os_version.as_deref()),
        (Some("Windows"), Some("10"))
    );
    // A claimed version is used only for the same system, when the agent gives none.
    let linux = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36";
    assert_eq!(
        agents
            .parse(Some(linux))
            .with_claims(&claims)
            .os_version
            .as_deref(),
        Some("6.8")
    );
    let other = Claims {
        os: Some("Windows"),
        ..claims
    };
    assert_eq!(
        agents.parse(Some(linux)).with_claims(&other).os_version,
        None
    );
}

#[test]
fn without_an_agent_the_claims_count() {
    let claims = Claims {
        device: Some("Mobile"),
        browser: Some(" Safari\u{200b} "),
        os: Some("iOS"),
        os_version: Some("17"),
        ..Claims::default()
    };
    let agents = agents();
    for header in [None, Some(""), Some("   ")] {
        let parsed = agents.parse(header);
        assert_eq!(parsed.signals(), BotSignals::NO_AGENT);
        assert!(!parsed.signals().refuses());
        assert_eq!(parsed.with_claims(&Claims::default()).device, None);
        let agent = parsed.with_claims(&claims);
        assert_eq!(agent.device, Some(Mobile));
        assert_eq!(agent.browser.as_deref(), Some("Safari"));
        assert_eq!(
            (agent.os.as_deref(), agent.os_version.as_deref()),
            (Some("iOS"), Some("17"))
        );
    }
    let fridge = Claims {
        device: Some("fridge"),
        ..Claims::default()
    };
    assert_eq!(agents.parse(None).with_claims(&fridge).device, None);
}

#[test]
fn an_unknown_agent_is_a_person_on_a_desktop_unless_the_body_says_more() {
    let parsed = agents().parse(Some("Something Quite New"));
    assert_eq!(parsed.signals(), BotSignals::UNKNOWN_AGENT);
    assert!(!parsed.signals().refuses());
    assert_eq!(parsed.with_claims(&Claims::default()).device, Some(Desktop));
    let claims = Claims {
        device: Some("tablet"),
        browser: Some("New"),
        ..Claims::default()
    };
    let agent = parsed.with_claims(&claims);
    assert_eq!(
        (agent.device, agent.browser.as_deref()),
        (Some(Tablet), Some("New"))
    );
}

#[test]
fn an_agent_is_cut_at_a_character_boundary() {
    let long = format!("{}é tail", "x".repeat(MAX_AGENT_BYTES - 1));
    assert_eq!(cut(&long), "x".repeat(MAX_AGENT_BYTES - 1));
    assert_eq!(cut("short"), "short");
    let agents = agents();
    assert_eq!(
        agents.parse(Some(&long)),
        agents.parse(Some(&long[..MAX_AGENT_BYTES - 1]))
    );
}

#[test]
fn an_agent_is_parsed_once() {
    let agents = agents();
    let header = PEOPLE[0].3;
    let first = agents.parse(Some(header));
    let again = agents.parse(Some(&format!(" {header} ")));
    assert!(std::sync::Arc::ptr_eq(&first, &again));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]
    #[test]
    fn no_header_breaks_the_parser(header in any::<String>(), build in "[A-Za-z0-9/.;() -]{0,1500}") {
        let agents = agents();
        for header in [header, format!("Mozilla/5.0 (Linux; Android 14; {build}) AppleWebKit/537.36")] {
            let agent = agents.parse(Some(&header)).with_claims(&Claims::default());
            let names = [agent.browser, agent.browser_version, agent.os, agent.os_version, agent.brand, agent.model];
            for name in names.into_iter().flatten() {
                prop_assert!(!name.is_empty() && name.chars().count() <= MAX_NAME_CHARS);
                prop_assert!(!name.chars().any(char::is_control));
            }
        }
    }
}
