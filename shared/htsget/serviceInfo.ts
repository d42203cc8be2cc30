import { formatsOf, type Datatype } from './HtsgetQuery.ts'

export interface ServiceInfoProps {
  /** Unique, in reverse domain notation. */
  readonly id: string
  readonly name: string
  readonly version: string
}

/** The answer to `/reads/service-info` or `/variants/service-info` (GA4GH service-info 1.0.0, htsget 1.3.0). */
export const serviceInfo = (datatype: Datatype, { id, name, version }: ServiceInfoProps) => ({
  id,
  name,
  version,
  type: { group: 'org.ga4gh', artifact: 'htsget', version: '1.3.0' },
  organization: { name: 'htsvault', url: 'https://samtools.github.io/hts-specs/htsget.html' },
  htsget: {
    datatype,
    formats: formatsOf[datatype],
    fieldsParameterEffective: false,
    tagsParametersEffective: false,
  },
})
