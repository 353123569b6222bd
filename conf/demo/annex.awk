# Annex A: 3,200 rows of observables from a fixed seed.  Addresses are RFC 5737 and RFC 3849; gateways are G1..G3.
BEGIN {
    seed = 20261122
    n = split("192.0.2.17 198.51.100.23 203.0.113.201 2001:db8:4:1::9", source, " ")
    split("ssh vnc rdp https", protocol, " ")
    split("login session-open command file-read session-close", observed, " ")
    split("low moderate high", confidence, " ")
    print "line,time_utc,source,source_port,gateway,protocol,bytes_in,bytes_out,observed,confidence"
    for (i = 1; i <= 3200; i++) {
        t = 83940 + i * 2
        printf "%d,2026-11-2%dT%02d:%02d:%02dZ,%s,%d,G%d,%s,%d,%d,%s,%s\n", i, 1 + int(t / 86400),
            int(t / 3600) % 24, int(t / 60) % 60, t % 60, source[1 + r(n)], 1024 + 2 * r(31000), 1 + r(3),
            protocol[1 + r(4)], kb(), kb(), observed[1 + r(5)], confidence[1 + r(3)]
    }
}
function r(m) {
    seed = (seed * 1103515245 + 12345) % 2147483648
    return int(seed / 65536) % m
}
function kb() {
    return 1000 * r(30000) + r(1000)
}
