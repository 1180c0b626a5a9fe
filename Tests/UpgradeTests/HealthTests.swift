import Testing
import VersionKitUpgrade

@Suite("Health checks")
struct HealthTests {
    @Test("only failures in a row use a budget up, and it begins anew afterwards")
    func budget() {
        var budget = HealthBudget(failuresMax: 3)
        for failure in ["a", "b", nil, "c", "d"] { #expect(budget.observe(failure) == nil) }
        #expect(budget.observe("e") == "it failed 3 health checks in a row: e")
        #expect(budget.failures == 0)
        #expect(budget.observe("f") == nil)
        var strict = HealthBudget(failuresMax: 1)
        #expect(strict.observe("g") != nil)
    }

    @Test(
        "the status of an HTTP answer is in its first line",
        arguments: [
            ("HTTP/1.1 200 OK\r\n", HTTPAnswer.Reading.status(200)), ("HTTP/1.0 503\r\nA: b", .status(503)),
            ("HTTP/1.1 404 Not Found\n", .status(404)), ("HTTP/1.1 20", .incomplete), ("", .incomplete),
            ("SSH-2.0-OpenSSH\r\n", .malformed), ("HTTP/1.1\r\n", .malformed), ("HTTP/1.1 -7 no\r\n", .malformed),
            ("HTTP/1.1 999 no\r\n", .malformed), (String(repeating: "a", count: 4096), .malformed),
        ])
    func statusLine(_ text: String, _ wanted: HTTPAnswer.Reading) {
        #expect(HTTPAnswer.read(Array(text.utf8)) == wanted)
    }

    @Test("by default a redirection is a success, and what is named is the only one")
    func success() {
        #expect(HTTPAnswer.isSuccess(204, wanted: nil))
        #expect(HTTPAnswer.isSuccess(302, wanted: nil))
        #expect(!HTTPAnswer.isSuccess(404, wanted: nil))
        #expect(!HTTPAnswer.isSuccess(204, wanted: 200))
        #expect(HTTPAnswer.isSuccess(503, wanted: 503))
    }
}
