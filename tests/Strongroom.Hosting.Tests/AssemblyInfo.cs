using System.Runtime.Versioning;

// File modes and file locks are those of Unix here.
[assembly: UnsupportedOSPlatform("windows")]
