import CLinux
import Glibc
import VersionKitModel
import VersionKitProcesses
import VersionKitSockets

/// What is in an environment before the application, and the way into it (DESIGN 9, R1; docs/isolation.md).
///
///     versionkit-environment namespaces NAME=VALUE...    makes namespaces, says `pid PID` and `created`, and ends;
///                                                         the environment goes on. Its agent listens at descriptor 3
///     versionkit-environment process NAME=VALUE...       starts an agent among the node's own processes, says `pid PID`
///                                                         and `created`, and ends
///     versionkit-environment container NAME=VALUE... -- RUNTIME ARGUMENT...
///                                                         becomes an OCI runtime in a mount namespace of its own
///     versionkit-environment agent [NAME=VALUE...]       an agent that listens at descriptor 3
///     versionkit-environment contained SOCKET LOG        an agent that listens at the path SOCKET and prints to the file LOG,
///                                                         both inside: its memory can be kept
///     versionkit-environment machine GATEWAY             process 1 of a machine with a kernel of its own: an agent that
///                                                         listens on the private link, and ends by switching it off
///     versionkit-environment boot NAME=VALUE...           the same, for a machine of which nothing is set up yet
@main
enum EnvironmentMain {
    /// The descriptor of the socket that an agent inherits.
    private static let listener: Int32 = 3

    static func main() {
        let arguments = arguments()
        do throws(Failure) {
            switch arguments.first {
            case "namespaces": try Namespaces.enterAndStart(Array(arguments.dropFirst()), listener: listener)
            // The first process inside, and that of an operator's command: nobody else's words.
            case Namespaces.inside:
                try RootFileSystem(Layout(arguments: Array(arguments.dropFirst()))).enter()
                Namespaces.created()
                Agent(listener: listener, surroundings: try Surroundings()).run()
            case "process":
                var spawn = RawSpawn()
                spawn.descriptors = [STDOUT_FILENO: STDERR_FILENO, listener: listener]
                print("pid \(try start("agent", Array(arguments.dropFirst()), spawn))\ncreated")
            case "container": try Container.enter(Array(arguments.dropFirst()))
            case "agent":
                close(Container.lock)
                WritableRoot.take()
                Agent(listener: listener, surroundings: try Surroundings(arguments: Array(arguments.dropFirst()))).run()
            case "contained": try Container.runAgent(Array(arguments.dropFirst()))
            case "session": try ExecSession.run(Array(arguments.dropFirst()))
            case "machine": try runMachine(gateway: arguments.count > 1 ? IPAddress(arguments[1]) : nil)
            case "boot": try boot(Array(arguments.dropFirst()))
            default:
                throw Failure(
                    "'\(arguments.first ?? "")' is no command: namespaces, process, container, agent, contained, machine or boot"
                )
            }
        } catch {
            print("failed \(error)")
            exit(1)
        }
    }

    /// Starts this program again, in a session of its own; its process's number.
    static func start(_ command: String, _ arguments: [String], _ spawn: RawSpawn) throws(Failure) -> Int32 {
        var spawn = spawn
        spawn.newSession = true
        do throws(SystemError) {
            return try spawn.spawn("/proc/self/exe", [command] + arguments).pid
        } catch {
            throw Failure("\(error)")
        }
    }

    /// Swift reads the arguments from `/proc` before anything of this program runs; the first process of a machine has to
    /// mount that.
    private static func arguments() -> [String] {
        if CommandLine.arguments.count > 1 { return Array(CommandLine.arguments.dropFirst()) }
        guard getpid() == 1, vk_mount("proc", "/proc", "proc", 0, nil) == 0,
            let file = fopen("/proc/self/cmdline", "re")
        else { return [] }
        defer { fclose(file) }
        var buffer = [UInt8](repeating: 0, count: 16 << 10)
        let words = buffer[..<fread(&buffer, 1, buffer.count, file)].split(separator: 0)
        return words.dropFirst().map { String(decoding: $0, as: UTF8.self) }
    }

    /// A machine that cannot be set up says why on its console, and is switched off.
    private static func boot(_ arguments: [String]) throws(Failure) {
        do throws(Failure) {
            let layout = try MachineLayout(arguments: arguments)
            try Machine(layout).boot()
            try runMachine(gateway: layout.gateways.first) { () throws(Failure) in
                // The node hears of this by the machine's management console.
                try Machine.write("ready", to: "/proc/mconsole")
            }
        } catch {
            Agent.log("\(error)")
            vk_power_off()
            throw error
        }
    }

    private static func runMachine(
        gateway: IPAddress?, isListening: () throws(Failure) -> Void = { () throws(Failure) in }
    ) throws(Failure) -> Never {
        guard let gateway else { throw Failure("machine: whose?") }
        let socket: Int32
        do {
            socket = try openSocket(gateway.family, .stream)
        } catch {
            throw Failure("\(error)")
        }
        guard bindSocket(socket, to: Endpoint(address: gateway.family.any, port: 1)), listen(socket, 8) == 0 else {
            throw Failure(call: "listen")
        }
        try isListening()
        // Other environments could reach it, too; but none of them can have the node's address, and none of the node's
        // programs without privilege such a port.
        Agent(
            listener: socket, surroundings: try Surroundings(),
            admits: { remoteEndpoint(of: $0).map { $0.address == gateway && $0.port < 1024 } ?? false },
            finish: {
                sync()
                vk_power_off()
                exit(0)
            }
        ).run()
    }
}

/// Why an environment could not be made.
struct Failure: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }

    /// The system call that just failed.
    init(call: String) { description = "\(call): \(String(cString: strerror(errno)))" }
}
