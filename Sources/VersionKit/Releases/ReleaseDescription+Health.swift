import VersionKitModel

extension ReleaseDescription {
    static func healthCheck(from reader: DescriptionReader) throws(ReleaseError) -> ReleaseManifest.HealthCheck {
        let health = try reader.object(
            "health",
            keys: [
                "kind", "port", "path", "status", "command", "startupTimeoutMilliseconds", "intervalMilliseconds",
                "steady",
            ])
        let kind = ReleaseManifest.HealthCheck.Kind(
            rawValue: try health.optionalString("kind", "\"tcp\", \"http\" or \"command\"") ?? "tcp")
        let portWords = "a port number, 1 to 65535"
        let port =
            kind == .command
            ? try health.optionalInteger("port", portWords, in: 1...65535) ?? 0
            : try health.integer("port", portWords, in: 1...65535)
        var check = ReleaseManifest.HealthCheck(kind: kind, port: UInt16(port))
        check.path = try health.optionalString("path", "the path of a request, \"/health\"")
        check.status = try health.optionalInteger("status", "a status of HTTP, 100 to 599", in: 100...599)
        check.command = try health.optionalStrings("command", programWords)
        let milliseconds = 1...ReleaseManifest.Limits.millisecondsMax
        if let timeout = try health.optionalInteger("startupTimeoutMilliseconds", millisecondsWords, in: milliseconds) {
            check.startupTimeoutMilliseconds = timeout
        }
        if let interval = try health.optionalInteger("intervalMilliseconds", millisecondsWords, in: milliseconds) {
            check.intervalMilliseconds = interval
        }
        check.steady = try steady(from: health)
        return check
    }

    private static func steady(
        from health: DescriptionReader
    ) throws(ReleaseError) -> ReleaseManifest.HealthCheck.Steady? {
        guard let reader = try health.optionalObject("steady", keys: ["intervalMilliseconds", "failures"]) else {
            return nil
        }
        var steady = ReleaseManifest.HealthCheck.Steady()
        if let interval = try reader.optionalInteger(
            "intervalMilliseconds", millisecondsWords, in: 1...ReleaseManifest.Limits.millisecondsMax)
        {
            steady.intervalMilliseconds = interval
        }
        if let failures = try reader.optionalInteger(
            "failures", "a number of failures in a row, 1 or greater", in: 1...ReleaseManifest.Limits.healthFailuresMax)
        {
            steady.failures = failures
        }
        return steady
    }
}
