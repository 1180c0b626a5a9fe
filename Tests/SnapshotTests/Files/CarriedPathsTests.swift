import Glibc
import Testing

@testable import VersionKitIsolation

@Suite("What of a version's files is carried over to the next")
struct CarriedPathsTests {
    @Test("what is below the paths is kept, what leads there entered, the rest removed")
    func fates() {
        let paths = CarriedPaths(["/etc/app", "/var/lib/app/"])
        for kept in ["/etc/app", "/etc/app/a/b", "/var/lib/app/x"] { #expect(paths.fate(of: kept) == .kept) }
        for entered in ["/etc", "/var", "/var/lib", "/"] { #expect(paths.fate(of: entered) == .entered) }
        for removed in ["/etc/app2", "/etc/ap", "/usr", "/var/lib/other"] {
            #expect(paths.fate(of: removed) == .removed)
        }
        #expect(CarriedPaths([]).fate(of: "/etc") == .removed)
        #expect(CarriedPaths(["/"]).fate(of: "/etc") == .kept)
    }

    @Test("a link in the place of a directory is removed, and nothing behind it is touched")
    func links() throws {
        let base = "/run/carried-\(getpid())"
        for path in ["", "/upper", "/upper/etc", "/upper/etc/app", "/upper/usr", "/outside", "/outside/lib"] {
            try #require(mkdir(base + path, 0o755) == 0)
        }
        try #require(symlink(base + "/outside", base + "/upper/var") == 0)
        try CarriedPaths(["/etc/app", "/var/lib/app"]).prune(base + "/upper")
        #expect(access(base + "/upper/etc/app", F_OK) == 0)
        #expect(access(base + "/upper/usr", F_OK) != 0)
        #expect(access(base + "/upper/var", F_OK) != 0)
        #expect(access(base + "/outside/lib", F_OK) == 0)
    }
}
