import Testing
import VersionKitModel

@Suite("UTCTime")
struct UTCTimeTests {
    @Test(
        "a second has one spelling",
        arguments: [
            (0, "1970-01-01T00:00:00Z"), (951_782_400, "2000-02-29T00:00:00Z"), (1_709_164_799, "2024-02-28T23:59:59Z"),
            (4_107_542_400, "2100-03-01T00:00:00Z"), (UTCTime.secondsMax, "9999-12-31T23:59:59Z"),
        ] as [(Int64, String)])
    func spelling(seconds: Int64, text: String) {
        #expect(UTCTime(seconds: seconds).description == text)
        #expect(UTCTime(text)?.seconds == seconds)
    }

    @Test("every day of four centuries is read as it is written")
    func days() {
        for day in stride(from: Int64(0), to: 146_097, by: 1) {
            let time = UTCTime(seconds: day * 86_400 + day % 86_400)
            #expect(UTCTime(time.description) == time)
        }
    }

    @Test(
        "what is no second is refused",
        arguments: [
            "", "2027-03-31", "2027-02-29T00:00:00Z", "2027-13-01T00:00:00Z", "2027-00-01T00:00:00Z",
            "2027-01-00T00:00:00Z", "2027-01-01T24:00:00Z", "2027-01-01T00:60:00Z", "2027-01-01T00:00:60Z",
            "2027-01-01t00:00:00Z", "2027-01-01T00:00:00z", "2027-01-01 00:00:00Z", "1969-12-31T23:59:59Z",
            "+027-01-01T00:00:00Z", "2027-1--01T00:00:00Z", "2027-01-01T00:00:00Z ", "\u{7f}\u{7f}27-01-01T00:00:00Z",
        ])
    func refused(text: String) { #expect(UTCTime(text) == nil) }

    @Test("what is before or behind the calendar is its end")
    func ends() {
        #expect(UTCTime(seconds: .min).seconds == 0)
        #expect((UTCTime(seconds: 5) + .max).seconds == UTCTime.secondsMax)
        #expect((UTCTime(seconds: 5) + .min).seconds == 0)
    }
}
