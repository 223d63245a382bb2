<#
.SYNOPSIS
Shows the files of a recovery point: its volumes appear on this Windows machine with drive letters.

.DESCRIPTION
Run it as administrator, copy what you need, and run it again with -Clean.

The disks come from the backup server by iSCSI through a TLS tunnel. What Windows writes to them is kept by the server
for this session only; the recovery point itself never changes. Windows PowerShell 5.1 or PowerShell 7.

NOT TESTED ON WINDOWS by its makers, who had none: its grammar is checked, no more. The script for Linux is tested
with real machines.

.PARAMETER Clean
Disconnects the disks and leaves nothing behind.

.PARAMETER Portal
HOST or HOST:PORT: another way to the server. Its certificate is checked all the same.

.PARAMETER PasswordFile
A file whose first line is the password.
#>
[CmdletBinding()]
param(
    [switch] $Clean,
    [string] $Portal = "",
    [string] $PasswordFile = "",
    # For the script itself: runs the tunnel on this port of 127.0.0.1.
    [int] $TunnelPort = 0
)

# ---- values of this recovery point: filled in by the server ----
$VmName=""
$MachineName=""
$RecoveryPointTime=""
$TargetPortalAddress=""
$TargetPortalName=""
$TargetPortalPortNumber=""
$TargetPortalPath=""
$TargetPortalCertificates=""
$TargetNodeAddress=""
$TargetUserName=""
$TargetPassword=""
$InitiatorChapName=""
$InitiatorChapPassword=""
$ScriptId=""
$ExpiresAt=""
$Disks=""
# ---- end of values ----

Set-StrictMode -Version 2.0
$ErrorActionPreference = 'Stop'
$PasswordLength = 15
$StatePath = Join-Path $env:ProgramData "Strongroom\recovery-$ScriptId.json"

function Get-Expiry {
    [datetime]::Parse($ExpiresAt, [cultureinfo]::InvariantCulture, [System.Globalization.DateTimeStyles]'AdjustToUniversal, AssumeUniversal')
}

function Split-Portal([string] $Text) {
    if ($Text -notmatch '^(?:\[(?<host>[0-9A-Fa-f:.]+)\]|(?<host>[^:\s\[\]]+))(?::(?<port>[0-9]{1,5}))?$') { throw "'$Text' is no HOST[:PORT]." }
    $port = if ($Matches.ContainsKey('port')) { [int]$Matches['port'] } else { [int]$TargetPortalPortNumber }
    if ($port -lt 1 -or $port -gt 65535) { throw "'$Text' is no HOST[:PORT]." }
    [pscustomobject]@{ Host = $Matches['host']; Port = $port }
}

# The authorities of a text with certificates in PEM.
function Get-Authority([string] $Pem) {
    foreach ($match in [regex]::Matches($Pem, '-----BEGIN CERTIFICATE-----([A-Za-z0-9+/=\s]+)-----END CERTIFICATE-----')) {
        New-Object System.Security.Cryptography.X509Certificates.X509Certificate2 -ArgumentList @(, [Convert]::FromBase64String($match.Groups[1].Value))
    }
}

# Whether a server's certificate is to be trusted: by this machine, or, where the script names authorities, by those alone.
function Test-Certificate($Certificate, $ServerChain, $Errors) {
    if ($TargetPortalCertificates -eq '') { return $Errors -eq [System.Net.Security.SslPolicyErrors]::None }
    $other = [System.Net.Security.SslPolicyErrors]'RemoteCertificateNameMismatch, RemoteCertificateNotAvailable'
    if (($Errors -band $other) -ne 0) { return $false }
    $authorities = @(Get-Authority $TargetPortalCertificates)
    $chain = New-Object System.Security.Cryptography.X509Certificates.X509Chain
    $chain.ChainPolicy.RevocationMode = 'NoCheck'
    $chain.ChainPolicy.VerificationFlags = 'AllowUnknownCertificateAuthority'
    foreach ($authority in $authorities) { [void]$chain.ChainPolicy.ExtraStore.Add($authority) }
    foreach ($element in $ServerChain.ChainElements) { [void]$chain.ChainPolicy.ExtraStore.Add($element.Certificate) }
    $leaf = New-Object System.Security.Cryptography.X509Certificates.X509Certificate2 -ArgumentList $Certificate
    if (-not $chain.Build($leaf)) { return $false }
    $root = $chain.ChainElements[$chain.ChainElements.Count - 1].Certificate
    return @($authorities | Where-Object { $_.Thumbprint -eq $root.Thumbprint -and [Convert]::ToBase64String($_.RawData) -eq [Convert]::ToBase64String($root.RawData) }).Count -gt 0
}

# Opens TLS to the server and asks for the tunnel. Returns the client and its stream.
function Open-Tunnel($Server) {
    $client = New-Object System.Net.Sockets.TcpClient
    try {
        $client.Connect($Server.Host, $Server.Port)
        $client.NoDelay = $true
        $check = [System.Net.Security.RemoteCertificateValidationCallback] { param($from, $certificate, $chain, $errors) Test-Certificate $certificate $chain $errors }
        $stream = New-Object System.Net.Security.SslStream -ArgumentList ($client.GetStream()), $false, $check
        $stream.AuthenticateAsClient($TargetPortalName, $null, [System.Security.Authentication.SslProtocols]::Tls12, $false)
        $request = [Text.Encoding]::ASCII.GetBytes("GET $TargetPortalPath HTTP/1.1`r`nHost: $(if ($TargetPortalName.Contains(':')) { "[$TargetPortalName]" } else { $TargetPortalName }):$TargetPortalPortNumber`r`nConnection: Upgrade`r`nUpgrade: iscsi`r`n`r`n")
        $stream.Write($request, 0, $request.Length)
        $head = New-Object System.Text.StringBuilder
        # Byte by byte: what comes after the blank line is iSCSI already.
        while ($head.Length -lt 65536 -and -not $head.ToString().EndsWith("`r`n`r`n")) {
            $byte = $stream.ReadByte()
            if ($byte -lt 0) { break }
            [void]$head.Append([char]$byte)
        }
        $code = ($head.ToString() -split ' ')[1]
        if ($code -eq '404' -or $code -eq '410') { throw 'The server does not know this script any more: it was revoked, its time is over, or the server was started again. Ask for a new one.' }
        if ($code -ne '101') { throw "The server answered '$(($head.ToString() -split "`r")[0])' instead of opening the tunnel." }
        [pscustomobject]@{ Client = $client; Stream = $stream }
    }
    catch {
        $client.Close()
        throw
    }
}

# Carries connections of 127.0.0.1 to the server until the mount is over or this process is ended.
function Invoke-Tunnel([int] $Port, $Server) {
    $listener = New-Object System.Net.Sockets.TcpListener -ArgumentList ([System.Net.IPAddress]::Loopback), $Port
    $listener.Start()
    $next = Get-Expiry
    $open = @()
    while ($true) {
        # A mount may have been renewed since the script was written, so the server is asked. One that cannot be reached has not said that it is over.
        if ([datetime]::UtcNow -ge $next) {
            try { (Open-Tunnel $Server).Client.Close() }
            catch { if ("$($_.Exception.Message)" -like '*does not know this script*') { break } }
            $next = [datetime]::UtcNow.AddMinutes(10)
        }
        if ($listener.Pending()) {
            $client = $listener.AcceptTcpClient()
            $client.NoDelay = $true
            try {
                $remote = Open-Tunnel $Server
                $open += [pscustomobject]@{
                    Near = $client; Far = $remote.Client
                    Up = $client.GetStream().CopyToAsync($remote.Stream, 262144); Down = $remote.Stream.CopyToAsync($client.GetStream(), 262144)
                }
            }
            catch {
                Write-Warning $_.Exception.Message
                $client.Close()
            }
        }
        # A connection has ended when either direction has.
        foreach ($connection in @($open | Where-Object { $_.Up.IsCompleted -or $_.Down.IsCompleted })) {
            $connection.Near.Close()
            $connection.Far.Close()
        }
        $open = @($open | Where-Object { -not ($_.Up.IsCompleted -or $_.Down.IsCompleted) })
        Start-Sleep -Milliseconds 100
    }
    $listener.Stop()
}

function Get-FreePort {
    foreach ($port in 5365..5396) {
        $listener = New-Object System.Net.Sockets.TcpListener -ArgumentList ([System.Net.IPAddress]::Loopback), $port
        try {
            $listener.Start()
            $listener.Stop()
            return $port
        }
        catch [System.Net.Sockets.SocketException] { continue }
    }
    throw 'No port from 5365 to 5396 of 127.0.0.1 is free.'
}

function Get-Password {
    $password = $TargetPassword
    if ($password -eq 'UserInput012345') {
        if ($PasswordFile -ne '') { $password = @(Get-Content -LiteralPath $PasswordFile)[0].Trim() }
        else { $password = (New-Object System.Net.NetworkCredential -ArgumentList '', (Read-Host -AsSecureString 'Password of this script')).Password }
    }
    if ($password -notmatch "^[A-Za-z0-9]{$PasswordLength}$") { throw "The password has $PasswordLength letters and digits. It was shown when the script was made." }
    $password
}

# The disks of this target, and of no other.
function Get-OwnDisk {
    foreach ($session in @(Get-IscsiSession | Where-Object { $_.TargetNodeAddress -eq $TargetNodeAddress })) { Get-Disk -IscsiSession $session }
}

function Connect-RecoveryPoint($Server) {
    if (@(Get-IscsiSession -ErrorAction SilentlyContinue | Where-Object { $_.TargetNodeAddress -eq $TargetNodeAddress }).Count -gt 0) { throw "The recovery point is connected already. '-Clean' undoes it." }
    Disconnect-RecoveryPoint
    $password = Get-Password
    Write-Output "Connecting to $($Server.Host):$($Server.Port) ..."
    (Open-Tunnel $Server).Client.Close()
    Start-Service MSiSCSI
    $port = Get-FreePort
    $program = (Get-Process -Id $PID).Path
    $line = "-NoProfile -ExecutionPolicy Bypass -File `"$PSCommandPath`" -TunnelPort $port -Portal $(if ($Server.Host.Contains(':')) { "[$($Server.Host)]" } else { $Server.Host }):$($Server.Port)"
    $tunnel = Start-Process -FilePath $program -ArgumentList $line -WindowStyle Hidden -PassThru
    [void](New-Item -ItemType Directory -Force -Path (Split-Path $StatePath))
    @{ port = $port; tunnel = $tunnel.Id; started = $tunnel.StartTime.ToUniversalTime().ToString('o') } | ConvertTo-Json | Set-Content -LiteralPath $StatePath
    try {
        Start-Sleep -Seconds 2
        # Windows has one secret for all targets that prove themselves; it is this script's until another one is set.
        Set-IscsiChapSecret -ChapSecret $InitiatorChapPassword
        $login = @{ TargetPortalAddress = '127.0.0.1'; TargetPortalPortNumber = $port; AuthenticationType = 'MUTUALCHAP'; ChapUsername = $TargetUserName; ChapSecret = $password }
        [void](New-IscsiTargetPortal @login)
        [void](Connect-IscsiTarget -NodeAddress $TargetNodeAddress -IsPersistent $false @login)
        $expected = @($Disks | ConvertFrom-Json | ForEach-Object { $_ }).Count
        for ($round = 0; $round -lt 60 -and @(Get-OwnDisk).Count -lt $expected; $round++) {
            Start-Sleep -Seconds 1
            Update-HostStorageCache
        }
        foreach ($disk in @(Get-OwnDisk)) {
            if ($disk.IsOffline) { Set-Disk -Number $disk.Number -IsOffline $false }
            # Writable, so that NTFS can replay its log; the server throws the changes away.
            if ($disk.IsReadOnly) { Set-Disk -Number $disk.Number -IsReadOnly $false }
        }
        Show-Volume
    }
    catch {
        Disconnect-RecoveryPoint
        throw
    }
}

function Show-Volume {
    Write-Output "Recovery point of $VmName, $RecoveryPointTime, until $ExpiresAt"
    foreach ($disk in @(Get-OwnDisk)) {
        foreach ($partition in @(Get-Partition -DiskNumber $disk.Number -ErrorAction SilentlyContinue)) {
            $volume = Get-Volume -Partition $partition -ErrorAction SilentlyContinue
            if ($null -ne $volume -and $volume.FileSystem -and -not [int]$partition.DriveLetter) {
                Add-PartitionAccessPath -DiskNumber $disk.Number -PartitionNumber $partition.PartitionNumber -AssignDriveLetter -ErrorAction SilentlyContinue
                $partition = Get-Partition -DiskNumber $disk.Number -PartitionNumber $partition.PartitionNumber
            }
            [pscustomobject]@{
                Disk = $disk.Number; Partition = $partition.PartitionNumber
                Drive = $(if ([int]$partition.DriveLetter) { "$($partition.DriveLetter):" } else { '-' })
                FileSystem = $(if ($null -ne $volume -and $volume.FileSystem) { $volume.FileSystem } else { 'not one that Windows knows' }); SizeBytes = $partition.Size
            }
        }
    }
    Write-Output "When you are done, run this script with -Clean."
}

# Takes back whatever Connect-RecoveryPoint did; may be repeated, and works after the server has ended the session.
function Disconnect-RecoveryPoint {
    foreach ($disk in @(Get-OwnDisk)) { Set-Disk -Number $disk.Number -IsOffline $true -ErrorAction SilentlyContinue }
    Disconnect-IscsiTarget -NodeAddress $TargetNodeAddress -Confirm:$false -ErrorAction SilentlyContinue
    if (-not (Test-Path -LiteralPath $StatePath)) { return }
    $state = Get-Content -LiteralPath $StatePath -Raw | ConvertFrom-Json
    Remove-IscsiTargetPortal -TargetPortalAddress '127.0.0.1' -TargetPortalPortNumber $state.port -Confirm:$false -ErrorAction SilentlyContinue
    $tunnel = Get-Process -Id $state.tunnel -ErrorAction SilentlyContinue
    # A process id may belong to another program by now.
    if ($null -ne $tunnel -and [math]::Abs(($tunnel.StartTime.ToUniversalTime() - ([datetime]$state.started).ToUniversalTime()).TotalSeconds) -lt 2) { $tunnel | Stop-Process -Force }
    Remove-Item -LiteralPath $StatePath
}

if ($ScriptId -eq '') { throw 'This is the template of a script. A server makes the script of a recovery point from it (az backup restore files mount-rp).' }
$server = if ($Portal -ne '') { Split-Portal $Portal } else { [pscustomobject]@{ Host = $TargetPortalAddress; Port = [int]$TargetPortalPortNumber } }
if ($TunnelPort -ne 0) { Invoke-Tunnel $TunnelPort $server; return }
$user = New-Object Security.Principal.WindowsPrincipal -ArgumentList ([Security.Principal.WindowsIdentity]::GetCurrent())
if (-not $user.IsInRole([Security.Principal.WindowsBuiltInRole]::Administrator)) { throw 'This has to be run as administrator.' }
if ($Clean) { Disconnect-RecoveryPoint; Write-Output 'Everything is undone.'; return }
if ((Get-Expiry) -le [datetime]::UtcNow) { throw "This script expired at $ExpiresAt. Ask for a new one." }
Connect-RecoveryPoint $server
