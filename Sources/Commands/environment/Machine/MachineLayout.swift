import VersionKitModel

/// What a machine is told by the command line of its kernel: `NAME=value` arguments of its first process.
struct MachineLayout {
    /// An address with the length of its network's prefix.
    struct Address {
        var address: IPAddress
        var prefixLength: UInt32
    }

    /// The device with the file system that the version sees.
    var disk = ""
    var interface = ""
    var addresses: [Address] = []
    var gateways: [IPAddress] = []
    /// The longest packet that is sent.
    var packetBytesMax: UInt32 = 0
    /// The ports that sockets are given by themselves, as the kernel's file has them.
    var ports = ""
    var hostname = "version"
    /// Directories of the node, and where they appear if they can.
    var shared: [(node: String, inside: String)] = []
    /// How many processes and threads there may be.
    var tasksMax: Int?

    /// The kernel adds arguments of its own: what is not known is left alone.
    init(arguments: [String]) throws(Failure) {
        for argument in arguments {
            let parts = argument.split(separator: "=", maxSplits: 1).map(String.init)
            guard parts.count == 2 else { continue }
            let list = parts[1].split(separator: ",").map(String.init)
            switch parts[0] {
            case "disk": disk = parts[1]
            case "interface": interface = parts[1]
            case "address": for text in list { addresses.append(try Self.address(text)) }
            case "gateway": gateways = list.compactMap { IPAddress($0) }
            case "mtu": packetBytesMax = UInt32(parts[1]) ?? 0
            case "ports": ports = parts[1].replacing("-", with: " ")
            case "hostname": hostname = parts[1]
            case "tasks": tasksMax = Int(parts[1])
            case "share":
                let paths = parts[1].split(separator: ":").map(String.init)
                guard paths.count == 2 else { throw Failure("'\(argument)' is not share=NODE:INSIDE") }
                shared.append((paths[0], paths[1]))
            default: break
            }
        }
        guard !disk.isEmpty, !interface.isEmpty, !addresses.isEmpty, !gateways.isEmpty else {
            throw Failure("disk, interface, address and gateway are all needed")
        }
    }

    private static func address(_ text: String) throws(Failure) -> Address {
        let parts = text.split(separator: "/").map(String.init)
        guard parts.count == 2, let address = IPAddress(parts[0]), let length = UInt32(parts[1]) else {
            throw Failure("'\(text)' is not ADDRESS/LENGTH")
        }
        return Address(address: address, prefixLength: length)
    }
}
