import type { Descriptor, Platform } from '../oci/image.ts';
import type { ContainerConfig, HealthConfig } from './container.ts';

/** The part of an image's config that `docker image inspect` shows (`Config`). Same shape as a container's. */
export type DockerImageConfig = ContainerConfig;

export interface ImageInspect {
  Id: string;
  RepoTags: string[];
  RepoDigests: string[];
  Parent: string;
  Comment: string;
  Created?: string;
  DockerVersion: string;
  Author: string;
  Config: DockerImageConfig | null;
  Architecture: string;
  Variant?: string;
  Os: string;
  OsVersion?: string;
  /** Bytes. */
  Size: number;
  /** Before API 1.44 only. */
  VirtualSize?: number;
  GraphDriver: { Name: string; Data: Record<string, string> | null };
  RootFS: { Type: string; Layers?: string[] };
  Metadata: { LastTagTime: string };
  /** Of the image's index, or of its manifest where there is none or a platform was asked for. API 1.48 on. */
  Descriptor?: Descriptor;
  /** If asked for; API 1.48 on. */
  Manifests?: ManifestSummary[];
}

/** A manifest of an image: one platform, or something that lies beside. */
export interface ManifestSummary {
  /** The manifest's digest. */
  ID: string;
  Descriptor: Descriptor;
  /** Whether all its content is here. */
  Available: boolean;
  /** Bytes that are here: blobs; those and unpacked layers. */
  Size: { Content: number; Total: number };
  Kind: 'image' | 'attestation' | 'unknown';
  ImageData?: { Platform: Platform; Size: { Unpacked: number }; Containers: string[] | null };
  AttestationData?: { For: string };
}

/** One row of `GET /images/json`. */
export interface ImageSummary {
  Id: string;
  ParentId: string;
  RepoTags: string[];
  RepoDigests: string[];
  /** Seconds since the epoch. */
  Created: number;
  Size: number;
  /** -1 unless asked for. */
  SharedSize: number;
  VirtualSize?: number;
  Labels: Record<string, string> | null;
  /** -1 unless counted. */
  Containers: number;
  /** Of the image's index, or of its manifest; API 1.48 on. */
  Descriptor?: Descriptor;
  /** If asked for; API 1.47 on. */
  Manifests?: ManifestSummary[];
}

export interface HistoryEntry {
  Id: string;
  Created: number;
  CreatedBy: string;
  Tags: string[] | null;
  Size: number;
  Comment: string;
}

export interface DeleteResponseItem {
  Untagged?: string;
  Deleted?: string;
}

export interface PruneImagesResponse {
  ImagesDeleted: DeleteResponseItem[] | null;
  SpaceReclaimed: number;
}

/** One line of a progress stream (pull, push, load, import, build). */
export interface ProgressLine {
  status?: string;
  id?: string;
  progress?: string;
  progressDetail?: { current?: number; total?: number; hidecounts?: boolean; units?: string; start?: number };
  stream?: string;
  error?: string;
  errorDetail?: { code?: number; message: string };
  aux?: unknown;
}

export type { HealthConfig };
