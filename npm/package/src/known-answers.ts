// Signatures that are valid, to find out what a runtime's cryptography can do. The keys are those of tests/keys.

/** The signed text. */
export const MESSAGE = "countersign";

/** For each algorithm a SubjectPublicKeyInfo in DER and a signature, both in base64. */
export const KNOWN_ANSWERS: { readonly [algorithm: string]: readonly [key: string, signature: string] } = {
  ES256: [
    "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEHP6Ge+SURNjz7q3rmjL8/8NXYpG2bnKJ7SDa830X5hp344VTk53FZxQ2n83szMqDd3N6ePp6obBzKtUM3utNVw==",
    "8fxKuUtxbFPKojkYgVIzZZEypk9RxvjsORsGpm36c4qzx/xYPl+Hk7QagSPh9ujFHWLh5LEWqNxFJDUP95X6aw==",
  ],
  ES384: [
    "MHYwEAYHKoZIzj0CAQYFK4EEACIDYgAEJoqvRLb9yYnXYqzVHOD/euXIzz3ELxTd0hCNChI2lAGGo2/qhjfzaTdIjrOOcde4ofGhBSbciZHjM9KNv3T8p0Q7q8SfQEqH6YGzy7/BxxcBTRnFj9/J3GP9IeCVoZuW",
    "zM74Z2ciAzafipoRstpm8l1p2CgI+A9IhZ+7NtODlb19B+UKn8kxEXJmoxEBnd6EWHYniMEs8e34khF9qNJTXOeBQ5u6CGf3wQVU8j/UblI2Q/iyWjYwhxW+RLWKuRAF",
  ],
  ES512: [
    "MIGbMBAGByqGSM49AgEGBSuBBAAjA4GGAAQBsdbqBfRilnSLZuHkUxD/0BxJI00/7n0wv5gzsU1Uns2NtI0yoWtjaHfJ3af2eI2BKZukeK7csvWI5ELoEU/u0/0Acp2U3TjkDv3cikdmf506aiFw0BUhwF9bnGQzEHaPAtfyEKmgCbhmhNB71PVmHPTIeACsvr6Opq+5sTyeLmE02Vs=",
    "AGDAqdQ9NsDWYPqc47Qxc2gq199ZZ2L2JMcyVldf9+EwoOgEgyA/n7a4WYmwigppnjT5xu7qJvxChay0Tf1ecp76AIpEdulA+M3VSWquI2yQwhPu7rQnANAC+d4epKMIOCm1+xXO5WdZVfgNtHX9bdlheIKZxepkgZwiA0U6d+IJ2QxS",
  ],
  EdDSA: [
    "MCowBQYDK2VwAyEAjYmlyW9yZC7WciGVayH9Zlm3NDgXPj1EpICeF2J8IHE=",
    "a90MGUMfTziDNlQvyo7N/Mi+YZzEBrt5d1b7p0tR9vp7/5n63FbqY1m5Z6unfrf929n6bI3vUNIuHr1VeoN4Bg==",
  ],
};
