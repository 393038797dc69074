"""The report's words, in English and in Chinese."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

Language = Literal["en", "zh"]


class Words:
    """Words of the report in one language."""

    def __init__(self, language: Language) -> None:
        self.language = language
        self._place = 0 if language == "en" else 1

    def __call__(self, key: str, /, **values: object) -> str:
        """Look up the words under a key, with values in their places."""
        return TEXTS[key][self._place].format_map(values)

    def known(self, key: str, otherwise: str) -> str:
        """Look up the words under a key, or return `otherwise` where there are none."""
        return self(key) if key in TEXTS else otherwise

    def translated(self, key: str, english: str) -> str:
        """Translate a text that has its English elsewhere; without a translation it stays."""
        return english if self.language == "en" else IN_CHINESE.get(key, english)

    def listed(self, parts: list[str]) -> str:
        """Join parts as a list in the language."""
        return (", " if self.language == "en" else "、").join(parts)


TEXTS: Mapping[str, tuple[str, str]] = {
    "html_lang": ("en", "zh-CN"),
    "title": ("Mutual TLS of stack {stack}", "环境 {stack} 的双向认证"),
    "lead": (
        "Who may reach {url}, by which certificates, and until when. As of {at}.",
        "谁可以访问 {url}、凭哪些证书、到何时为止。数据截至 {at}。",
    ),
    "no_secrets": (
        "This page holds no private keys, pass phrases or bundles, and loads nothing from the "
        "network.",
        "本页不含私钥、口令和证书包，也不从网络加载任何内容。",
    ),
    # Tiles.
    "tile_clients": ("clients in force", "有效客户端"),
    "tile_due": ("due for renewal now", "现应续期"),
    "tile_next": ("next renewal", "下次续期"),
    "tile_ca": ("CA valid until", "CA 有效期至"),
    "tile_verification": ("checks passed", "检查通过"),
    "tile_no_verification": ("no verification given", "未提供验证结果"),
    "passed_of": ("{passed} of {tried}", "{passed} / {tried}"),
    # Time line.
    "time_line": ("Certificates on a time line", "证书时间线"),
    "time_line_text": (
        "Each bar is a certificate from the beginning of its validity to its end. The lighter part "
        "begins when the next update renews it. Thin bars below are earlier certificates that have "
        "not expired.",
        "每个长条表示一张证书的有效期。颜色较浅的部分从应续期之日开始，此后的下一次更新会为其续期。"
        "下方的细条是尚未到期的旧证书。",
    ),
    "infrastructure": ("CA, servers and revocation list", "CA、服务器与吊销列表"),
    "clients": ("Clients", "客户端"),
    "no_clients": ("No client has a certificate.", "没有客户端持有证书。"),
    "columns_text": (
        "{holders:,} names hold {certificates:,} certificates. The columns show how many are due "
        "for renewal in each period; what nobody renews counts at its end. The {shown:,} most "
        "urgent follow; the table below has all.",
        "共有 {holders:,} 个名称，持有 {certificates:,} 张证书。柱形表示各时段应续期的证书数；"
        "不再续期的证书按到期时间计入。其后列出最紧急的 {shown:,} 个，下方表格列出全部。",
    ),
    "columns_title": (
        "Certificates due for renewal, by period",
        "各时段应续期的证书数",
    ),
    "column_words": ("{period}: {counts}", "{period}：{counts}"),
    "period_from": ("From", "自"),
    "figures": ("The figures", "具体数字"),
    "today": ("today", "今天"),
    "lane_words": (
        "{name}: valid from {begin} until {end}, {state}",
        "{name}：有效期 {begin} 至 {end}，{state}",
    ),
    "lane_due": ("{words}, due for renewal on {due}", "{words}，应于 {due} 续期"),
    "more_bars": ("{words}; and {count} earlier", "{words}；另有 {count} 张旧证书"),
    "unknown_time": ("an unknown time", "未知时间"),
    "until": ("until {end}", "{end} 到期"),
    "due_on": ("due {due}", "{due} 续期"),
    # Who holds what.
    "holders": ("Who holds what", "证书持有情况"),
    "holders_text": (
        "{total:,} in all: {counts}. What is most urgent comes first.",
        "共 {total:,} 项：{counts}。最紧急的排在最前。",
    ),
    "count_of": ("{count:,} {state}", "{state} {count:,}"),
    "keys_of_clients": ("Keys of clients in force: {keys}.", "有效客户端的密钥：{keys}。"),
    "key_count": ("{key} ({count:,})", "{key}（{count:,}）"),
    "unknown_key": ("unknown", "未知"),
    "role": ("Role", "角色"),
    "name": ("Name", "名称"),
    "key": ("Key", "密钥"),
    "state": ("State", "状态"),
    "from": ("From", "生效"),
    "to": ("Until", "到期"),
    "due": ("Due", "应续期"),
    "serial": ("Serial number", "序列号"),
    "fingerprint": ("SHA-256 fingerprint", "SHA-256 指纹"),
    "revoked_on": ("on {at}: {reason}", "{at}：{reason}"),
    "no_reason": ("no reason given", "未注明原因"),
    "role_ca": ("CA", "CA"),
    "role_server": ("server", "服务器"),
    "role_client": ("client", "客户端"),
    "role_revocation list": ("revocation list", "吊销列表"),
    "state_valid": ("valid", "有效"),
    "state_due": ("due", "应续期"),
    "state_superseded": ("superseded", "已被取代"),
    "state_revoked": ("revoked", "已吊销"),
    "state_expired": ("expired", "已过期"),
    "means_valid": ("in force", "使用中"),
    "means_due": ("the next update renews it", "下一次更新会为其续期"),
    "means_superseded": (
        "its holder has a newer one or is gone; not yet expired",
        "持有者已有更新的证书或已移除，但证书尚未到期",
    ),
    "means_revoked": ("on the revocation list", "已列入吊销列表"),
    "means_expired": ("no longer valid", "不再有效"),
    "crl_is_not_read": (
        "The listener reads no revocation list: superseded and revoked certificates of its CA get "
        "in until they expire or the CA is given another key.",
        "监听不读取吊销列表：由其 CA 签发的已被取代或已吊销的证书，在到期或 CA 更换密钥之前，"
        "仍可通过认证。",
    ),
    # Verification.
    "verification": ("Last verification", "最近一次验证"),
    "verification_none": (
        "None was given. To add one: `make verify {of_stack}ARGS=--json > verification.json`, then "
        '`make report {of_stack}ARGS="--verification verification.json"`.',
        "未提供。如需加入，先执行 `make verify {of_stack}ARGS=--json > verification.json`，再执行 "
        '`make report {of_stack}ARGS="--verification verification.json"`。',
    ),
    "verification_text": (
        "{url} was tried from outside; the result was written at {at}. {passed} passed, {failed} "
        "failed, {skipped} skipped.",
        "从外部对 {url} 进行了验证，结果写入时间为 {at}。通过 {passed} 项，失败 {failed} 项，"
        "跳过 {skipped} 项。",
    ),
    "check": ("Check", "检查项"),
    "result": ("Result", "结果"),
    "seen": ("Seen", "观察到"),
    "status_passed": ("passed", "通过"),
    "status_failed": ("failed", "失败"),
    "status_skipped": ("skipped", "跳过"),
    # Listeners.
    "listeners": ("Listeners and backend servers", "监听与后端服务器"),
    "address": ("Address", "地址"),
    "url": ("URL", "URL"),
    "region": ("Region", "地域"),
    "load_balancer": ("Load balancer", "负载均衡实例"),
    "server_names": ("Server certificate is for", "服务器证书适用于"),
    "issuer": ("Server certificate issued by", "服务器证书签发者"),
    "issuer_private": ("this stack's CA", "本环境的 CA"),
    "issuer_other": ("another CA", "其他 CA"),
    "redirect": ("Redirect from HTTP", "HTTP 重定向"),
    "port": ("Port", "端口"),
    "port_of": ("port {port}", "端口 {port}"),
    "listener": ("Listener", "监听"),
    "scheduler": ("Scheduling", "调度算法"),
    "scheduler_rr": ("round robin", "轮询"),
    "scheduler_wrr": ("weighted round robin", "加权轮询"),
    "sticky_session": ("Sticky sessions", "会话保持"),
    "acl": ("Access control list", "访问控制"),
    "acl_white": ("whitelist", "白名单"),
    "acl_black": ("blacklist", "黑名单"),
    "health_check": ("Health check", "健康检查"),
    "server_group": ("Backends", "后端服务器"),
    "default_group": ("default server group", "默认服务器组"),
    "on": ("on", "开启"),
    "off": ("off", "关闭"),
    "instance": ("ECS instance", "ECS 实例"),
    "weight": ("Weight", "权重"),
    "drained": ("{weight} (gets no requests)", "{weight}（不接收请求）"),
    "no_backends": (
        "The outputs name no backend servers.",
        "环境的输出中没有后端服务器。",
    ),
    # CA.
    "authority": ("The CA, its limits and its rotation", "CA、名称约束与轮换"),
    "subject": ("Subject", "主题"),
    "ca_present": ("CA on the listener", "监听使用的 CA"),
    "ca_next": ("Next CA", "下一个 CA"),
    "permitted": ("May certify", "可签发"),
    "excluded": ("May not certify", "不可签发"),
    "all_names": ("every name (no name constraints)", "任何名称（无名称约束）"),
    "form_DNSName": ("DNS name {name} and below", "DNS 名称 {name} 及其子域名"),
    "form_RFC822Name": ("e-mail addresses of {name}", "{name} 的电子邮件地址"),
    "form_IPAddress": ("IP addresses {name}", "IP 地址 {name}"),
    "form_UniformResourceIdentifier": ("URIs at {name}", "{name} 的 URI"),
    "form_DirectoryName": ("names below {name}", "{name} 之下的名称"),
    "form_other": ("{form}: {name}", "{form}：{name}"),
    "others_free": (
        "Forms of names of which nothing is permitted or excluded are free.",
        "未设置允许或排除范围的名称类型不受限制。",
    ),
    "no_rotation": ("No rotation of the CA's key is prepared.", "没有准备 CA 密钥轮换。"),
    "rotation": (
        "A rotation is prepared: the next CA is there, and clients' bundles are of it. The "
        "listener goes on with the present CA until the rotation is completed.",
        "已准备轮换：下一个 CA 已存在，客户端证书包由其签发。轮换完成之前，监听继续使用当前的 CA。",
    ),
    "left_behind": (
        "Completing it cuts off {count} certificates in force that the next CA did not issue: "
        "{names}",
        "完成轮换后，以下 {count} 张并非由下一个 CA 签发的有效证书将无法通过认证：{names}",
    ),
    "nobody_left_behind": (
        "Every certificate in force has a successor by the next CA.",
        "每张有效证书都已有由下一个 CA 签发的后继证书。",
    ),
    "and_more": ("{names} and {count} more", "{names} 等另外 {count} 张"),
    # Policy.
    "policy": ("Rules that the stack obeys", "环境遵守的策略规则"),
    "policy_text": (
        "Of this repository's policy pack. `make preview` and `make up` fail where a mandatory "
        "rule does not hold.",
        "来自本仓库的策略包。强制规则不满足时，`make preview` 和 `make up` 失败。",
    ),
    "rule": ("Rule", "规则"),
    "holds": ("What holds", "要求"),
    "level": ("Enforcement", "执行级别"),
    "settings": ("Settings", "设置"),
    "level_mandatory": ("mandatory", "强制"),
    "level_remediate": ("mandatory", "强制"),
    "level_advisory": ("advisory", "建议"),
    "level_disabled": ("disabled", "停用"),
    "footer": ("Written by `make report` at {at}.", "由 `make report` 生成于 {at}。"),
}

IN_CHINESE: Mapping[str, str] = {
    "check_no_certificate": "没有证书的请求被拒绝",
    "check_other_ca": "其他 CA 的证书被拒绝",
    "check_expired": "过期的证书被拒绝",
    "check_clients": "客户端可以通过",
    "check_clients_elsewhere": "私钥不在此处的证书可以追溯到 CA",
    "check_balancing": "请求在后端服务器之间轮询",
    "check_health": "后端服务器健康状态正常",
    "check_tls_1_0": "TLS 1.0 被拒绝",
    "check_tls_1_1": "TLS 1.1 被拒绝",
    "check_served_certificate": "监听出示的证书与状态中的一致",
    "check_server_names": "证书中的名称覆盖访问地址",
    "check_server_chain": "证书链验证通过",
    "check_sticky_session": "会话保持在同一后端服务器",
    "check_redirect": "HTTP 重定向到 HTTPS",
    "check_domain_certificates": "扩展域名出示各自的证书",
    "check_additional_listeners": "其他监听要求客户端证书",
    "check_ca_validity": "剩余天数：CA",
    "check_server_validity": "剩余天数：服务器",
    "check_client_validity": "剩余天数：客户端",
    "rule_mutual-tls": "每个监听都要求客户端证书，并出示服务器证书。",
    "rule_tls-policy": "每个 HTTPS 监听使用 TLS 1.2 及严格的加密套件，或更高要求。",
    "rule_health-check": "每个 HTTPS 监听都对后端服务器进行健康检查。",
    "rule_backend-ports": "后端服务器的端口不向公网开放。",
    "rule_certificate-validity": "CA、服务器和客户端证书的有效期既不过短也不过长。",
    "rule_client-keys": "客户端密钥满足长度要求。",
    "rule_deletion-protection": "生产环境的负载均衡实例开启删除保护。",
    "rule_secret-inputs": "私钥、口令和证书包均作为机密保存。",
    "rule_region": "所有资源都创建在允许的地域。",
}
"""Titles of checks and descriptions of rules, which have their English where they are defined."""
